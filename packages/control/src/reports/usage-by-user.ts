import {
  afterQuietly,
  checkNames,
  type Decision,
  describe,
  type Duration,
  eventLoop,
  fail,
  type Fields,
  fromCaller,
  messageOf,
  namesOf,
  parseDuration,
  type PolicyVerdict,
  type Store,
  type Telemetry,
  type Timer,
  type Warn,
  warnOnce,
  type WarnOnce,
} from '@halt/core/gate'
import { unitsAsked } from '@halt/core/telemetry'
import { isText } from '../read-values.ts'
import { documentsOf } from '../store-calls.ts'
import { addUsage } from './usage-documents.ts'
import {
  addUnits,
  entryIn,
  idOfEntry,
  slotOfKey,
  SLOTS,
  type UsageEntries,
  type UsageEntry,
} from './usage-entries.ts'

/** Options of {@link UsageByUser}. */
export interface UsageByUserOptions {
  /** The store of the limiters. It must have `document()`. */
  readonly store: Store
  /** The names of the policies whose keys several users share: `['pro_month', 'team']`. */
  readonly policies: readonly string[]
  /** How often the counts are added to those of the store at most. Default 5 s. */
  readonly every?: Duration | undefined
  /** Receives each warning once. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

const OPTIONS = namesOf<UsageByUserOptions>({ store: true, policies: true, every: true, warn: true })
/** The length of a period of a policy that is not a quota, in seconds. Two of them are kept. */
const WINDOW = 600
/** The most users that wait for the next beat. Further units name nobody. */
const MOST_WAITING = 10_000
/** The most keys of companies that wait for the next beat. Units of further ones are not told. */
const MOST_KEYS = 2_000
/** The most documents that a beat changes. */
const SLOTS_PER_BEAT = 16
/** How late a timer may be on a busy process, in milliseconds. */
const LATEST_MS = 10_000
/** The kinds of keys that name a user, the best first. */
const KINDS = ['user:', 'api-key:', 'custom:', 'ip:']

/**
 * Counts who uses a limit that several users share, such as the month's quota of a company: the units by user, over all processes, until
 * the period ends. So the answer stands while the quota refuses, too. A limit that is not a quota is told for the last 10 to 20 minutes.
 *
 * A user is the key of another policy that decided the same request, also of one in shadow mode: a user, else an API key, else another key, else
 * an address. It counts what requests asked when they were admitted, so it does not see what `settle`, a reserved call or a reset changes
 * afterwards. A user's count is never too high: a process that is killed loses what it has not added to the store yet.
 *
 * Give it to the limiters as telemetry, one for each process. The counts stand in at most 256 documents of at most 32 000 characters.
 * A process changes at most 16 of them in a beat, and holds at most 10 000 users until then.
 *
 * @throws HaltError `HALT_E_OPTION`, `HALT_E_DURATION`, `HALT_E_UNKNOWN_FIELD`
 * @example
 * const usage = new UsageByUser({ store, policies: ['pro_month'] })
 * const limiter = new RateLimiter({ store, policy, telemetry: usage })
 * const [month] = await usageByUser(store, 'custom:acme')
 */
export class UsageByUser implements Telemetry {
  readonly #store: Store
  readonly #policies: ReadonlySet<string>
  readonly #everyMs: number
  readonly #warn: WarnOnce
  // By document, the one that has waited longest first.
  readonly #waiting = new Map<number, UsageEntries>()
  #keys = 0
  #users = 0
  #timer: Timer | number | undefined
  // Unix milliseconds. A timer that has not fired by then was lost, as on Workers, where it ends with its request.
  #armedUntil = 0
  #sharing: Promise<void> | undefined
  #isClosed = false

  constructor(options: UsageByUserOptions) {
    this.#everyMs = fromCaller(UsageByUser, () => read(options))
    this.#store = options.store
    this.#policies = new Set(options.policies)
    this.#warn = warnOnce(options.warn)
  }

  onCheck(_key: string, decision: Decision): void {
    if (!decision.allowed || !decision.counted || this.#isClosed) return
    const { verdicts } = decision
    for (const verdict of verdicts)
      if (verdict.allowed && this.#policies.has(verdict.policy)) this.#count(verdict, verdicts, decision)
  }

  /** Adds what has been counted to the counts of the store now, instead of with the next beats. */
  async flush(): Promise<void> {
    for (let i = 0; i < SLOTS && this.#waiting.size > 0; i += SLOTS_PER_BEAT)
      if (!(await this.#share())) return
  }

  /** Adds what has been counted to the counts of the store, and counts no more. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== undefined) eventLoop.cancel(this.#timer)
    // Counts that this beat cannot add wait for the flush.
    await this.#sharing
    await this.flush()
  }

  #count(
    { policy, key, resetAt }: PolicyVerdict,
    verdicts: readonly PolicyVerdict[],
    decision: Decision,
  ): void {
    const asked = unitsAsked(decision, policy)
    if (asked === undefined) return
    const since = Math.floor(asked.at)
    // A policy that is not a quota has periods of ten minutes. The counts of one are kept until the next one ends.
    const until = asked.isQuota ? resetAt : (Math.floor(asked.at / WINDOW) + 2) * WINDOW
    this.#add(slotOfKey(key), { policy, key, since, until }, userOf(verdicts, key), asked.units)
    const now = Date.now()
    if (now >= this.#armedUntil) this.#beat(now)
  }

  #add(
    slot: number,
    of: Pick<UsageEntry, 'policy' | 'key' | 'since' | 'until'>,
    user: string | undefined,
    units: number,
  ): void {
    let entries = this.#waiting.get(slot)
    if (this.#keys === MOST_KEYS && entries?.has(idOfEntry(of)) !== true) return
    if (entries === undefined) this.#waiting.set(slot, (entries = new Map()))
    const keys = entries.size
    const entry = entryIn(entries, of)
    this.#keys += entries.size - keys
    const users = entry.users.size
    const isNamed = this.#users < MOST_WAITING || (user !== undefined && entry.users.has(user))
    addUnits(entry, isNamed ? user : undefined, units)
    this.#users += entry.users.size - users
  }

  #beat(now: number): void {
    if (this.#timer !== undefined) eventLoop.cancel(this.#timer)
    this.#timer = afterQuietly(this.#everyMs, () => {
      this.#armedUntil = 0
      this.#sharing = this.#share().then(() => {
        if (this.#waiting.size > 0 && !this.#isClosed) this.#beat(Date.now())
      })
    })
    this.#armedUntil = now + 2 * this.#everyMs + LATEST_MS
  }

  /** Adds the counts of some documents to the store. Resolves to whether the store took all of them. Never rejects. */
  async #share(): Promise<boolean> {
    const taken = [...this.#waiting].slice(0, SLOTS_PER_BEAT)
    for (const [slot] of taken) this.#waiting.delete(slot)
    const wasTaken = await Promise.all(
      taken.map(async ([slot, entries]) => {
        for (const { users } of entries.values()) this.#users -= users.size
        this.#keys -= entries.size
        const outcome = await addUsage(this.#store, slot, entries, error => this.#fail(error))
        if (outcome === 'untouched') this.#putBack(slot, entries)
        return outcome === 'added'
      }),
    )
    return wasTaken.every(Boolean)
  }

  #putBack(slot: number, entries: UsageEntries): void {
    for (const { users, others, ...of } of entries.values()) {
      for (const [user, units] of users) this.#add(slot, of, user, units)
      if (others > 0) this.#add(slot, of, undefined, others)
    }
  }

  #fail(error: unknown): void {
    this.#warn({
      code: 'HALT_W_REPORTS',
      message: `This process cannot tell who used which limit: ${messageOf(error)}.`,
      fix: 'Check that the store is reachable; the units by user are incomplete until then.',
    })
  }
}

/** The user behind a request: the key of another policy that decided it. Undefined if none has another key. */
function userOf(verdicts: readonly PolicyVerdict[], own: string): string | undefined {
  let [best, user]: [number, string | undefined] = [KINDS.length, undefined]
  for (const { key } of verdicts) {
    const kind = key === own ? -1 : KINDS.findIndex(name => key.startsWith(name))
    if (kind < 0 || kind >= best) continue
    // A user whose id holds such a text is shown as its digest.
    const [id = key] = key.split('+ip:')
    if (id !== own) [best, user] = [kind, id]
  }
  return user
}

/** @returns how often the counts are shared, in milliseconds */
function read(options: UsageByUserOptions): number {
  checkNames(options as unknown as Fields, OPTIONS, 'UsageByUser')
  const { store, policies, every = '5s' } = options
  documentsOf(store)
  if (!Array.isArray(policies) || policies.length === 0 || !policies.every(name => isText(name)))
    fail(
      'HALT_E_OPTION',
      `policies is ${describe(policies)}.`,
      "Name the policies whose keys several users share: policies: ['pro_month'].",
    )
  return parseDuration(every, 'every') / 1000
}
