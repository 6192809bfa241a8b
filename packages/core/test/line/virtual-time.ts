// A clock of whole microseconds that jumps from event to event, so that a history of many seconds costs milliseconds.
import { Random } from './random.ts'

/** A timer of virtual time, as code sees the timers of Node. */
interface Handle {
  readonly at: number
  readonly order: number
  readonly call: () => unknown
  /** Milliseconds between two calls of an interval. */
  readonly every: number | undefined
  isRef: boolean
  isSet: boolean
  unref(): Handle
  ref(): Handle
  hasRef(): boolean
}

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  now: performance.now.bind(performance),
  date: Date.now,
  random: Math.random,
}

/** Virtual time. While it is installed, timers and clocks of this process are its own, except within {@link outside}. */
export class VirtualTime {
  /** Microseconds since the world began. */
  now = 0
  readonly #epochMs: number
  // A binary heap: the earliest first, those of one instant in the order in which they were set.
  readonly #heap: Handle[] = []
  #count = 0
  #isInside = true
  #isInstalled = false

  /** @param epochMs what `Date.now` says as the world begins */
  constructor(epochMs: number) {
    this.#epochMs = epochMs
  }

  /** Unix milliseconds, with fractions. */
  unixMs(): number {
    // A number near today's keeps quarters of a microsecond: without the excess, a store that rounds down would lose one.
    return this.#epochMs + (this.now + 0.4) / 1000
  }

  /** The timers that would keep a process alive. */
  get pending(): number {
    return this.#heap.filter(({ isSet, isRef }) => isSet && isRef).length
  }

  /** Calls back at an instant, in microseconds. */
  at(micros: number, call: () => unknown): Handle {
    return this.#set(Math.max(micros, this.now), call, undefined)
  }

  /** Calls back after some microseconds. */
  after(micros: number, call: () => unknown): Handle {
    return this.at(this.now + micros, call)
  }

  /** Resolves after some microseconds. */
  sleep(micros: number): Promise<void> {
    return new Promise(resolve => void this.after(micros, resolve))
  }

  /** Lets time pass up to an instant. Every event sees the effects of those before it. */
  async run(until: number): Promise<void> {
    await this.turn()
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.at > until) break
      this.#pop()
      if (!next.isSet) continue
      this.now = Math.max(this.now, next.at)
      next.isSet = false
      if (next.every !== undefined) this.#repeat(next, next.every)
      await next.call()
      await this.turn()
    }
    this.now = Math.max(this.now, until)
  }

  /** Lets time pass while no event is looked at, as in a process whose event loop is blocked. */
  stall(micros: number): void {
    this.now += micros
  }

  /** Lets everything happen that needs no time. */
  turn(): Promise<void> {
    return new Promise(resolve => void real.setImmediate(resolve))
  }

  /** Does something by the clocks and timers of the machine, while virtual time stands still. */
  async outside<T>(work: () => T | Promise<T>): Promise<T> {
    this.#isInside = false
    try {
      return await work()
    } finally {
      this.#isInside = true
    }
  }

  /** Replaces the timers and clocks of this process. */
  install(): void {
    this.#isInstalled = true
    const host = globalThis as unknown as Record<string, unknown>
    const set =
      (every: boolean) =>
      (call: (...args: unknown[]) => unknown, ms?: number, ...args: unknown[]) => {
        if (!this.#isInside) return (every ? real.setInterval : real.setTimeout)(call, ms, ...args)
        const whole = Math.max(1, Math.trunc(Number(ms) || 0))
        return this.#set(this.now + whole * 1000, () => call(...args), every ? whole : undefined)
      }
    const clear = (timer: unknown): void => {
      if (typeof timer === 'object' && timer !== null && 'isSet' in timer) timer.isSet = false
      else real.clearTimeout(timer as NodeJS.Timeout)
    }
    host['setTimeout'] = set(false)
    host['setInterval'] = set(true)
    host['clearTimeout'] = host['clearInterval'] = clear
    host['setImmediate'] = (call: (...args: unknown[]) => void, ...args: unknown[]) =>
      this.#isInside ? this.after(0, () => call(...args)) : real.setImmediate(call, ...args)
    performance.now = () => (this.#isInside ? this.now / 1000 : real.now())
    // What core leaves to chance, such as when it probes a store, must be the same when a history is played again.
    const chance = new Random(1)
    Math.random = () => (this.#isInside ? chance.next() : real.random())
    Date.now = () => (this.#isInside ? Math.floor(this.unixMs()) : real.date())
  }

  /** Gives the process its timers and clocks back. */
  uninstall(): void {
    if (!this.#isInstalled) return
    this.#isInstalled = false
    const { now: _, date, random, ...timers } = real
    Object.assign(globalThis, timers)
    Reflect.deleteProperty(performance, 'now')
    Date.now = date
    Math.random = random
  }

  #repeat(handle: Handle, every: number): void {
    handle.isSet = true
    this.#push(Object.assign(handle, { at: this.now + every * 1000, order: this.#count++ }))
  }

  #set(at: number, call: () => unknown, every: number | undefined): Handle {
    const handle: Handle = {
      at,
      order: this.#count++,
      call,
      every,
      isRef: true,
      isSet: true,
      unref: () => Object.assign(handle, { isRef: false }),
      ref: () => Object.assign(handle, { isRef: true }),
      hasRef: () => handle.isRef,
    }
    this.#push(handle)
    return handle
  }

  #push(handle: Handle): void {
    const heap = this.#heap
    let i = heap.push(handle) - 1
    while (i > 0) {
      const up = (i - 1) >> 1
      if (!isBefore(handle, heap[up] as Handle)) break
      heap[i] = heap[up] as Handle
      i = up
    }
    heap[i] = handle
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Handle
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let down = 2 * i + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Handle, heap[down] as Handle)) down++
      if (!isBefore(heap[down] as Handle, last)) break
      heap[i] = heap[down] as Handle
      i = down
    }
    heap[i] = last
  }
}

function isBefore(a: Handle, b: Handle): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
