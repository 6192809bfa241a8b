import { randomUUID } from 'node:crypto'
import type { Store } from '@halt/core/store'

import type { LimiterEntry } from '../options.ts'
import { shownError, type ShownError } from '../answer.ts'
import { Clocks, type SeenNumbers } from './clocks.ts'
import { Presence } from './presence.ts'
import { Reports } from './reports.ts'
import { Recorder } from './recorder.ts'
import { type ProcessNumbers, readNumbers, writeNumbers } from './report.ts'
import { documentOf, fromStore } from './store-calls.ts'

/** How often a process looks whether somebody watches and, if so, shares its numbers, in milliseconds. */
const BEAT_MS = 2_000

/** The names of the documents. */
const [WATCHED, NUMBERS] = ['operator-watched', 'operator-numbers'] as const

/** What a page shows of the processes. */
export interface Seen {
  readonly processes: readonly SeenNumbers[]
  /** The process that answers. */
  readonly own: string
  /** Why only the numbers of this process are shown; undefined if all are. */
  readonly problem: ShownError | undefined
}

/** Records the decisions of this process and shares them with the others, while somebody watches any of them. */
export class Watch {
  readonly #id = randomUUID()
  readonly #store: Store
  readonly #limiters: readonly LimiterEntry[]
  readonly #presence: Presence
  readonly #reports: Reports
  readonly #clocks = new Clocks()
  #recorder: Recorder | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(store: Store & Pick<Required<Store>, 'document'>, limiters: readonly LimiterEntry[]) {
    this.#store = store
    this.#limiters = limiters
    this.#presence = new Presence(documentOf(store, WATCHED))
    this.#reports = new Reports(documentOf(store, NUMBERS), this.#id)
    this.#wait()
  }

  /** The numbers of all processes. Whoever asks watches. */
  async read(): Promise<Seen> {
    const now = Date.now()
    const renewed = this.#presence.seen(now)
    const own = this.#numbers(now)
    try {
      const [reports] = await Promise.all([fromStore(this.#reports.read()), renewed])
      const others = reports.flatMap(({ text }) => readNumbers(text) ?? []).filter(({ id }) => id !== this.#id)
      const processes = [{ ...own, ahead: 0 }, ...this.#clocks.fresh(others, now)]
      return { processes, own: this.#id, problem: undefined }
    } catch (error) {
      return { processes: [{ ...own, ahead: 0 }], own: this.#id, problem: shownError(error) }
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#record(false)
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#beat(), BEAT_MS).unref()
  }

  async #beat(): Promise<void> {
    try {
      await this.#presence.look(Date.now())
      const isWatched = this.#presence.isWatched(Date.now())
      this.#record(isWatched && !this.#isClosed)
      if (isWatched) await fromStore(this.#reports.publish(writeNumbers(this.#numbers(Date.now()))))
    } catch {
      // The store is away. The page says so, and the next beat tries again.
      this.#record(this.#presence.isWatched(Date.now()) && !this.#isClosed)
    } finally {
      if (!this.#isClosed) this.#wait()
    }
  }

  #numbers(now: number): ProcessNumbers {
    const waiting = this.#limiters.reduce((sum, { limiter }) => sum + limiter.waiting, 0)
    return { id: this.#id, waiting, ...this.#record(true).read(now) }
  }

  #record(isOn: true): Recorder
  #record(isOn: boolean): Recorder | undefined
  #record(isOn: boolean): Recorder | undefined {
    if (isOn) return (this.#recorder ??= new Recorder(this.#store.kind ?? 'custom'))
    this.#recorder?.stop()
    return (this.#recorder = undefined)
  }
}
