import {
  afterQuietly,
  checkNames,
  checkWhole,
  type Decision,
  type DecisionMetadata,
  type Duration,
  eventLoop,
  type Fields,
  fromCaller,
  namesOf,
  parseDuration,
  type PolicyVerdict,
  type Store,
  type Telemetry,
  type Timer,
  type Warn,
} from '@halt/core/gate'
import { LabelSet } from '@halt/core/telemetry'
import { Reports } from './reports.ts'
import { mergeTop, readTop, writeTop } from './top-lists.ts'
import { type TopLists, TopTables } from './top-tables.ts'

/** Options of {@link TopKeys}. */
export interface TopKeysOptions {
  /** Shares the lists with the other processes of this store. Default: none, so `merged()` shows this process alone. */
  readonly store?: Store | undefined
  /** How often the lists are shared at most. Default 5 s. With more than 16 processes less often, so that the store's work is bounded. */
  readonly every?: Duration | undefined
  /** How many keys each table counts. Default 1 000. */
  readonly counters?: number | undefined
  /** How many policies are counted separately. All others are counted together as `"other"`. Default 20. */
  readonly maxPolicies?: number | undefined
  /** Receives each warning once. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

/** The most used and the most refused keys. */
export interface TopKeysReport extends TopLists {
  /** How many processes counted. */
  readonly processes: number
}

const OPTIONS = namesOf<TopKeysOptions>({
  store: true,
  every: true,
  counters: true,
  maxPolicies: true,
  warn: true,
})
/** How many keys of each policy a process shares. */
const SHARED = 50
/** The most processes that share at full pace. */
const FULL_PACE = 16
/** After how many beats lists that have not changed are shared again, so that the others see a living process. */
const IDLE_BEATS = 4
/** How late a timer may be on a busy process, and how long sharing may take, in milliseconds. */
const LATEST_MS = 10_000

/**
 * Counts the keys that are used most and refused most, by policy, during the last one to two minutes. It holds a bounded number of keys,
 * however many clients there are, by the Space-Saving algorithm.
 *
 * With a `store` it shares its lists with the other processes. It writes only while requests come, and waits by a timer that
 * does not keep the process alive.
 *
 * @throws HaltError `HALT_E_OPTION`, `HALT_E_DURATION`, `HALT_E_UNKNOWN_FIELD`
 * @example
 * const topKeys = new TopKeys({ store })
 * const limiter = new RateLimiter({ store, policy, telemetry: topKeys })
 * const { refused } = await topKeys.merged()
 */
export class TopKeys implements Telemetry {
  readonly #used: TopTables
  readonly #refused: TopTables
  readonly #names: LabelSet
  readonly #reports: Reports | undefined
  readonly #everyMs: number
  #timer: Timer | number | undefined
  // Unix milliseconds. A timer that has not fired by then was lost, as on Workers, where it ends with its request.
  #armedUntil = 0
  #hasChanged = false
  #idleBeats = 0
  #isClosed = false

  constructor(options: TopKeysOptions = {}) {
    const { counters, maxPolicies, everyMs } = fromCaller(TopKeys, () => read(options))
    const { store, every = '5s', warn } = options
    this.#used = new TopTables(counters)
    this.#refused = new TopTables(counters)
    this.#names = new LabelSet(maxPolicies)
    this.#everyMs = everyMs
    this.#reports =
      store === undefined
        ? undefined
        : fromCaller(TopKeys, () => new Reports({ store, name: 'top-keys', every, warn }))
  }

  onCheck(key: string, { allowed, verdicts }: Decision, { policy }: DecisionMetadata): void {
    const now = Date.now()
    for (let i = 0; i < verdicts.length; i++) {
      const verdict = verdicts[i] as PolicyVerdict
      if (allowed) this.#used.add(this.#names.of(verdict.policy), verdict.key, now)
      else if (!verdict.allowed && verdict.mode !== 'shadow')
        this.#refused.add(this.#names.of(verdict.policy), verdict.key, now)
    }
    // An operator has blocked the client, or it has no key: no policy was asked.
    if (verdicts.length === 0 && !allowed) this.#refused.add(this.#names.of(policy), key, now)
    this.#hasChanged = true
    if (this.#reports !== undefined && now >= this.#armedUntil && !this.#isClosed) this.#beat(now)
  }

  /**
   * The keys that this process counted.
   *
   * @param most how many keys of each policy. Default 10
   */
  local(most: number = 10): TopKeysReport {
    const now = Date.now()
    return { processes: 1, used: this.#used.top(most, now), refused: this.#refused.top(most, now) }
  }

  /**
   * The keys that all processes counted, each process as it last shared them. A process shares the 50 first keys of a policy, so the
   * count of a key leaves out processes in which it is not among those. Rejects with `HALT_E_STORE` if the store does not answer.
   *
   * @param most how many keys of each policy. Default 10
   */
  async merged(most: number = 10): Promise<TopKeysReport> {
    const reports = this.#reports
    if (reports === undefined) return this.local(most)
    const others = (await reports.read()).filter(({ process }) => process !== reports.process)
    const own = this.local(SHARED)
    const lists = others.map(({ text }) => readTop(text))
    const isCounting = own.used.length + own.refused.length > 0
    if (isCounting || others.length === 0) lists.push(own)
    return { processes: lists.length, ...mergeTop(lists, most) }
  }

  /** Takes the shared lists back, and shares no more. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== undefined) eventLoop.cancel(this.#timer)
    await this.#reports?.withdraw()
  }

  #beat(now: number): void {
    const pace = Math.max(1, Math.ceil((this.#reports as Reports).processes / FULL_PACE))
    const ms = this.#everyMs * pace
    if (this.#timer !== undefined) eventLoop.cancel(this.#timer)
    this.#timer = afterQuietly(ms, () => void this.#share())
    this.#armedUntil = now + 2 * ms + LATEST_MS
  }

  async #share(): Promise<void> {
    if (this.#hasChanged || ++this.#idleBeats >= IDLE_BEATS) {
      this.#hasChanged = false
      this.#idleBeats = 0
      await this.#reports?.publish(writeTop(this.local(SHARED), SHARED))
    }
    if (this.#isClosed) return
    const now = Date.now()
    // Once the windows are empty, the next request starts the timer again.
    if (!this.#hasChanged && this.#used.isEmpty(now) && this.#refused.isEmpty(now)) this.#armedUntil = 0
    else this.#beat(now)
  }
}

function read(options: TopKeysOptions): { counters: number; maxPolicies: number; everyMs: number } {
  checkNames(options as unknown as Fields, OPTIONS, 'TopKeys')
  const { every = '5s', counters = 1_000, maxPolicies = 20 } = options
  return {
    counters: checkWhole('counters', counters, 10, 100_000),
    maxPolicies: checkWhole('maxPolicies', maxPolicies, 1, 1_000),
    everyMs: parseDuration(every, 'every') / 1000,
  }
}
