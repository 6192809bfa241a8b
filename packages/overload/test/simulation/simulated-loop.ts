import type { Loop } from '../../src/base/loop.ts'

const ACCEPTING = 0.1

/** An event loop of one thread, whose time only moves when work is done or nothing is left to do. */
export class SimulatedLoop implements Loop {
  #now = 0
  #idle = 0
  readonly #heap: { readonly at: number; readonly run: () => void }[] = []
  #ends: (() => void)[] = []
  readonly #backlog: (() => void)[] = []

  now = (): number => this.#now
  idle = (): number => this.#idle

  afterTurn(callback: () => void): void {
    this.#ends.push(callback)
  }

  /** Uses the processor for so long. Everything else waits. */
  work(ms: number): void {
    this.#now += ms
  }

  /** Something becomes readable at a time: a socket, a reply, a timer. */
  at(time: number, run: () => void): void {
    const heap = this.#heap
    let i = heap.push({ at: time, run }) - 1
    for (let up = (i - 1) >> 1; i > 0 && heap[up]!.at > heap[i]!.at; up = (i - 1) >> 1) {
      ;[heap[up], heap[i]] = [heap[i]!, heap[up]!]
      i = up
    }
  }

  /** A client connects at a time. The kernel keeps the connection until a turn accepts it, and its request is read in the next one. */
  connect(time: number, run: () => void): void {
    this.at(time, () => void this.#backlog.push(run))
  }

  /** Runs turns until a time, or until nothing is left. */
  runUntil(end: number): void {
    while (this.#heap.length > 0 || this.#backlog.length > 0) {
      const next = this.#backlog.length > 0 ? this.#now : this.#heap[0]!.at
      if (next > end) break
      if (next > this.#now) {
        this.#idle += next - this.#now
        this.#now = next
      }
      const accepted = this.#backlog.shift()
      const turn: (() => void)[] = []
      while (this.#heap.length > 0 && this.#heap[0]!.at <= this.#now) turn.push(this.#pop())
      for (const run of turn) run()
      // As Node does: one connection a turn.
      if (accepted !== undefined) {
        this.#now += ACCEPTING
        this.at(this.#now, accepted)
      }
      const ends = this.#ends
      this.#ends = []
      for (const run of ends) run()
    }
    if (this.#now < end) {
      this.#idle += end - this.#now
      this.#now = end
    }
  }

  #pop(): () => void {
    const heap = this.#heap
    const { run } = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return run
    heap[0] = last
    for (let i = 0; ;) {
      const left = 2 * i + 1
      const least = left + 1 < heap.length && heap[left + 1]!.at < heap[left]!.at ? left + 1 : left
      if (least >= heap.length || heap[least]!.at >= heap[i]!.at) return run
      ;[heap[least], heap[i]] = [heap[i]!, heap[least]!]
      i = least
    }
  }
}
