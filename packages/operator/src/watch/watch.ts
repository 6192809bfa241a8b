import { Reports } from '@halt/control'
import type { Store } from '@halt/core/store'

import type { LimiterEntry } from '../options.ts'
import { shownError, type ShownError } from '../answer.ts'
import { Clocks, type SeenNumbers } from './clocks.ts'
import type { CountedUnder } from './companions.ts'
import { Presence } from './presence.ts'
import { Recorder } from './recorder.ts'
import { type ProcessNumbers, readNumbers, writeNumbers } from './report.ts'
import type { ReadShedders } from './shedders.ts'
import { documentOf } from './store-calls.ts'
import { tokenOf } from './token.ts'

/** How often a process looks whether somebody watches and, if so, shares its numbers, in milliseconds. */
const BEAT_MS = 2_000

/** The names of the documents. */
const [WATCHED, NUMBERS] = ['operator-watched', 'operator-numbers'] as const

/** The reports of the processes, as the page shows them. */
export interface Seen {
  readonly processes: readonly SeenNumbers[]
  /** The process that answers. */
  readonly own: string
  /** Why only the numbers of this process are shown; undefined if all are. */
  readonly problem: ShownError | undefined
}

/** Records the decisions of this process, and shares them with the others while somebody watches any of them. */
export class Watch {
  readonly #recorder: Recorder
  readonly #limiters: readonly LimiterEntry[]
  readonly #shedders: ReadShedders
  readonly #presence: Presence
  readonly #reports: Reports
  readonly #clocks = new Clocks()
  #isShared = false
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param shedders reads the load shedders of this process */
  constructor(
    store: Store & Pick<Required<Store>, 'document'>,
    limiters: readonly LimiterEntry[],
    shedders: ReadShedders,
  ) {
    this.#recorder = new Recorder(store.kind ?? 'custom')
    this.#limiters = limiters
    this.#shedders = shedders
    this.#presence = new Presence(documentOf(store, WATCHED))
    // The page itself says that the store is away.
    this.#reports = new Reports({ store, name: NUMBERS, every: BEAT_MS / 1000, warn: () => {} })
    // The first look only learns the version, so that the next one sees whether somebody has begun to watch.
    void this.#presence.look(Date.now()).catch(() => {})
    this.#wait()
  }

  /** The numbers of all processes. A process that asks for them counts as watching. */
  async read(): Promise<Seen> {
    const now = Date.now()
    this.#recorder.isWatched = true
    const id = this.#reports.process
    const own = { ...this.#numbers(now), id, ahead: 0 }
    try {
      const [reports] = await Promise.all([this.#reports.read(), this.#presence.seen(now)])
      const others = reports.flatMap(({ process, text }) => {
        const numbers = process === id ? undefined : readNumbers(text)
        return numbers === undefined ? [] : { ...numbers, id: process }
      })
      return { processes: [own, ...this.#clocks.read(others, now)], own: id, problem: undefined }
    } catch (error) {
      return { processes: [own], own: id, problem: shownError(error) }
    }
  }

  /**
   * The other keys on which requests of a client were counted lately, in all processes. Other processes tell theirs some seconds after the
   * first call: `isWhole` says whether they had the time.
   *
   * @param keys the keys that name the client
   */
  async countedUnder(keys: readonly string[]): Promise<{ under: readonly CountedUnder[]; isWhole: boolean }> {
    const own = keys.flatMap(key => this.#recorder.countedUnder(key))
    const tokens = keys.map(tokenOf)
    const isKnown = tokens.every(token => this.#presence.tokens.includes(token))
    try {
      await this.#presence.lookAt(tokens, Date.now())
      const { processes } = await this.read()
      const all = processes.flatMap(({ counted }) => counted.filter(({ token }) => tokens.includes(token)))
      const under = latestOf([...own, ...all.flatMap(each => each.under)])
      return { under, isWhole: isKnown || processes.length === 1 }
    } catch {
      // The store is away, so no process hears of the look.
      return { under: latestOf(own), isWhole: true }
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#recorder.stop()
    this.#rest()
  }

  #wait(): void {
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#beat(), BEAT_MS).unref()
  }

  async #beat(): Promise<void> {
    // While the store is away nobody learns anything. The next beat tries again.
    await this.#presence.look(Date.now()).catch(() => {})
    const now = Date.now()
    if (!this.#presence.isWatched(now) || this.#isClosed) this.#rest()
    else {
      this.#isShared = true
      this.#recorder.isWatched = true
      await this.#reports.publish(writeNumbers(this.#numbers(now)))
    }
    this.#wait()
  }

  #numbers(now: number): ProcessNumbers {
    const waiting = this.#limiters.reduce((sum, { limiter }) => sum + limiter.waiting, 0)
    const counted = this.#presence.tokens
      .map(token => ({ token, under: this.#recorder.countedUnderToken(token) }))
      .filter(({ under }) => under.length > 0)
    return { waiting, counted, shedders: this.#shedders(), ...this.#recorder.read(now) }
  }

  /** Takes the report back, because nobody watches. */
  #rest(): void {
    this.#recorder.isWatched = false
    if (!this.#isShared) return
    this.#isShared = false
    void this.#reports.withdraw()
  }
}

/** The last verdict on each key, the latest first. */
function latestOf(all: readonly CountedUnder[]): CountedUnder[] {
  const latest = new Map<string, CountedUnder>()
  for (const one of all.toSorted((a, b) => a.at - b.at)) {
    const id = `${one.policy} ${one.key}`
    latest.delete(id)
    latest.set(id, one)
  }
  return [...latest.values()].toReversed()
}
