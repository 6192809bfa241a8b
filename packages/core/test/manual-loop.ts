import type { EventLoop, Timer } from '../src/base/event-loop.ts'

interface Due extends Timer {
  readonly at: number
  readonly callback: () => void
}

/** An event loop whose time a test moves, turn by turn: first timers, then sockets, then callbacks after the sockets. */
export class ManualLoop implements EventLoop {
  #now = 0
  #timers = new Set<Due>()
  #afterRead: (() => void)[] = []
  #arrived: (() => void)[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): Due {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return timer
  }

  cancel(timer: unknown): void {
    this.#timers.delete(timer as Due)
  }

  afterRead(callback: () => void): void {
    this.#afterRead.push(callback)
  }

  /** Puts an answer into a socket. The loop reads it in its next turn. */
  arrive(read: () => void): void {
    this.#arrived.push(read)
  }

  /** Blocks the loop for some milliseconds, and then takes one turn. */
  async block(ms: number): Promise<void> {
    this.#now += ms
    await this.#turn()
  }

  /** Lets time pass while the loop is free, with one turn per millisecond. */
  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) await this.block(1)
  }

  async #turn(): Promise<void> {
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).toSorted((a, b) => a.at - b.at)
    for (const timer of due) {
      if (this.#timers.delete(timer)) timer.callback()
      await microtasks()
    }
    for (const read of this.#arrived.splice(0)) read()
    await microtasks()
    for (const callback of this.#afterRead.splice(0)) callback()
    await microtasks()
  }
}

/** Resolves after all microtasks of settled promises have run. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
