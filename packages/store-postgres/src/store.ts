import { leases } from '@halt/core/lease'
import { resilience } from '@halt/core/resilience'
import { fromCaller, type HaltWarning, type Warn, warnOnce } from '@halt/core'
import {
  aboutCounters,
  Batcher,
  type BatchRules,
  counterMark,
  type CounterId,
  type Evaluation,
  flatGroups,
  type Group,
  Heartbeat,
  makeDigest,
  pollUntil,
  type Store,
  type StoreDocument,
  type StoreError,
  type StoreMark,
  readClock,
  wholeAnswers,
} from '@halt/core/store'

import { callOf, MOST_LOCKS } from './call.ts'
import { documentOf } from './document.ts'
import { inspect } from './inspection.ts'
import { keyWriter, type KeyWriter } from './keys.ts'
import { checkOptions, type PostgresStoreOptions } from './options.ts'
import { queryOf, type Query } from './query.ts'
import { readReply } from './reply.ts'
import { uncounted } from './rights.ts'
import { Statements } from './statements.ts'
import { storeError, toStoreError } from './store-error.ts'
import { Sweeper } from './sweeper.ts'

// A server that hangs sends no replies.
const CLOSE_MS = 500

// With so many counters waiting, another statement pays while others are pending.
const MIN_PARALLEL = 24
// More statements at once only wait for each other's locks.
const MAX_PENDING = 4

/** How checks share the statements. */
export const BATCH_RULES: BatchRules = {
  loadOf: ({ demands, penalty, idempotency }) =>
    demands.length + (penalty === undefined ? 0 : 1) + (idempotency === undefined ? 0 : 1),
  maxLoad: MOST_LOCKS,
  // Two halves of a batch are decided by two processors of the server.
  minParallel: MIN_PARALLEL,
  isWorthCall: (pending, waiting) => pending.count < MAX_PENDING && waiting.load >= MIN_PARALLEL,
}

type Evaluations = readonly (Evaluation | Error)[]

/**
 * A store of counters in PostgreSQL, which all processes share. A check is one statement, whatever the number of policies, and
 * the server's clock decides. Run {@link schema} once before.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 * @example
 * const store = new PostgresStore({ query: new Pool({ connectionString: process.env.DATABASE_URL }) })
 */
export class PostgresStore implements Store {
  readonly kind: string = 'postgres'
  readonly evaluator: typeof resilience = resilience
  readonly leases: typeof leases = leases
  readonly isChecked: boolean = true
  readonly keepsPace: boolean
  /** The kind, the prefix, and the schema. */
  readonly place: readonly unknown[]
  /** Unix milliseconds. Present only if the store was given a clock. */
  declare readonly clock?: () => number
  readonly #statements: Statements
  readonly #key: KeyWriter
  readonly #schema: string
  readonly #prefix: string
  readonly #mark: StoreMark = counterMark(group => this.evaluate(group))
  readonly #heartbeat: Heartbeat
  // Of the processes that obey the control document.
  readonly #obeying: Heartbeat
  readonly #sweeper: Sweeper
  readonly #batcher: Batcher

  constructor(options: PostgresStoreOptions) {
    fromCaller(PostgresStore, () => checkOptions(options))
    const { query, schema = 'halt', prefix = '', clock, warn } = options
    this.keepsPace = clock === undefined
    if (clock !== undefined) this.clock = clock
    this.#schema = schema
    this.#prefix = prefix
    this.#statements = new Statements(queryOf(query) as Query, schema)
    this.#key = keyWriter(prefix, makeDigest())
    this.place = ['postgres', prefix, `schema ${schema}`]
    this.#heartbeat = heartbeatOf(this.#statements, prefix, warnOnce(warn))
    this.#obeying = heartbeatOf(this.#statements, `${prefix}|obeying`, warnOnce(warn))
    this.#sweeper = new Sweeper(this.#statements)
    this.#batcher = new Batcher((groups, now) => this.#send(groups, now), BATCH_RULES)
  }

  evaluate(group: Group): Promise<Evaluation> {
    return this.#batcher.add(group)
  }

  async forget(counters: readonly CounterId[]): Promise<number> {
    const keys = [...new Set(counters.map(({ subject, counter }) => this.#key(subject, counter)))].sort()
    let removed = 0
    for (let i = 0; i < keys.length; i += MOST_LOCKS)
      removed += await this.#statements.count('forget', keys.slice(i, i + MOST_LOCKS).join('\n'))
    return removed
  }

  probe(): Promise<unknown> {
    return this.#statements.count('probe')
  }

  instances(): number {
    return this.#heartbeat.count
  }

  /**
   * Counts the processes that use this store under this prefix: the processes that decided, or read what operators have set, during the last
   * 15 s. It does not count those whose limiters got a number for `instances`, and this one only if it decides.
   */
  processes(): Promise<number> {
    return this.#heartbeat.ask()
  }

  /** Counts the processes whose limiters obey the control document of this store, by their signs of the last 15 s. */
  obeyingProcesses(): Promise<number> {
    return this.#obeying.ask()
  }

  obeys(): void {
    this.#obeying.use()
  }

  mark(): StoreMark {
    return this.#mark
  }

  document(name: string): StoreDocument {
    const beat = (): void => {
      for (const one of [this.#heartbeat, this.#obeying]) one.sendIfDue(performance.now())
    }
    return documentOf(this.#statements, `${this.#prefix}|${name}`, beat)
  }

  /** Waits for the statements that are on their way, half a second at most. Your client stays open; end it afterwards. */
  close(): Promise<void> {
    return pollUntil(() => this.#batcher.isIdle, CLOSE_MS)
  }

  /** Removes every counter that equals a fresh one. Checks do so little by little, so no application has to call it. */
  sweep(): Promise<number> {
    return this.#sweeper.sweepAll()
  }

  inspect(): Promise<HaltWarning[]> {
    return inspect(this.#statements, this.#schema, group => this.evaluate(group))
  }

  async #send(groups: readonly Group[], now = performance.now()): Promise<Evaluations> {
    const flat = flatGroups(groups)
    const { name, params } = callOf(flat, this.#key)
    const stretch = this.clock === undefined ? this.#sweeper.stretchFor(groups.length) : -1
    this.#heartbeat.sendIfDue(now)
    try {
      const reply = await this.#statements.run(name, this.#now(), ...params, `${stretch}`)
      return wholeAnswers(readReply(reply, flat), groups)
    } catch (error) {
      return this.#recover(groups, toStoreError(error))
    }
  }

  #now(): string | null {
    if (this.clock === undefined) return null
    const now = readClock(this.clock)
    if (now === undefined) throw storeError('The clock of the store returned no number', 'misconfigured')
    return `${now}`
  }

  // The server undoes a statement that fails, so nothing was charged. If one group made it fail, the others must not fail with it.
  #recover(groups: readonly Group[], error: StoreError): Promise<Evaluations> {
    if (groups.length === 1 && error.reply === 'ZH001')
      return Promise.reject(aboutCounters(error, groups[0] as Group))
    if (groups.length < 2 || error.reply === undefined || error.failure !== 'script')
      return Promise.reject(error)
    const alone = groups.map(async group => (await this.#send([group]))[0] as Evaluation)
    return Promise.all(alone.map(evaluation => evaluation.catch((failure: unknown) => failure as Error)))
  }
}

function heartbeatOf(statements: Statements, prefix: string, warn: Warn): Heartbeat {
  return new Heartbeat({
    send: (id, ttl) =>
      id === ''
        ? statements.count('alive', prefix, `${ttl / 1000}`)
        : statements.count('beat', prefix, id, `${ttl / 1000}`),
    failed(error) {
      const { code, message } = toStoreError(error)
      if (code === 'HALT_E_STORE_PERMISSION') warn(uncounted(message))
    },
  })
}
