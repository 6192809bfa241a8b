import { leases } from '@halt/core/lease'
import { resilience } from '@halt/core/resilience'
import { fromCaller, HaltError, type HaltWarning, warnOnce } from '@halt/core'
import {
  type CounterId,
  decide,
  type Evaluation,
  type Group,
  type Heartbeat,
  isDocumentName,
  pollUntil,
  readClock,
  type Store,
  type StoreDocument,
  StoreMisread,
} from '@halt/core/store'

import { Connection } from './connection.ts'
import { CounterTable } from './counters.ts'
import { documentOf } from './document.ts'
import { inspect } from './inspection.ts'
import { inLaterTurns } from './lock.ts'
import { checkOptions, type SqliteStoreOptions } from './options.ts'
import { heartbeatOf } from './processes.ts'
import { SharedCommits } from './shared-commits.ts'
import { Sweeper } from './sweeper.ts'

// Shorter than `storeTimeout`, so that the probe and not the deadline tells why the store is away.
const PROBE_MS = 50
// A disk that hangs never answers.
const CLOSE_MS = 500

/**
 * A store of counters in a file of SQLite, which all processes of a machine share, without a server. A check is one transaction, whatever
 * the number of policies. It is exact over the processes, and the charges survive the end of all of them.
 *
 * It decides at once, in the caller's turn of the event loop. With `durability: "power"` it decides at the end of the turn.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`, or `HALT_E_STORE_CORRUPT` if the file is not a database
 * @example
 * const store = new SqliteStore({ database: new Database('limits.db') })
 */
export class SqliteStore implements Store {
  readonly kind: string = 'sqlite'
  readonly evaluator: typeof resilience = resilience
  readonly leases: typeof leases = leases
  readonly isChecked: boolean = true
  /** False with `durability: "power"`. */
  readonly isSynchronous: boolean
  readonly keepsPace: boolean
  /** The kind, the prefix, and the path of the file. */
  readonly place: readonly unknown[]
  /** The clock that decides, Unix milliseconds. */
  readonly clock: () => number
  readonly #connection: Connection
  readonly #counters: CounterTable
  readonly #sweeper: Sweeper
  readonly #heartbeat: Heartbeat
  // Of the processes that obey the control document.
  readonly #obeying: Heartbeat
  readonly #commits: SharedCommits | undefined

  constructor(options: SqliteStoreOptions) {
    const path = fromCaller(SqliteStore, () => checkOptions(options))
    const { database, durability = 'process', lockTimeout = 50, prefix = 'halt_', clock, warn } = options
    this.isSynchronous = durability !== 'power'
    this.keepsPace = clock === undefined
    this.clock = clock ?? Date.now
    this.place = ['sqlite', prefix, path]
    const now = clock ?? performance.now.bind(performance)
    this.#connection = new Connection({
      database,
      path,
      prefix,
      durability,
      lockTimeout,
      now,
      warn: warnOnce(warn),
    })
    this.#counters = new CounterTable(this.#connection, clock === undefined)
    this.#sweeper = new Sweeper(this.#connection)
    this.#heartbeat = heartbeatOf(this.#connection, 'counting')
    this.#obeying = heartbeatOf(this.#connection, 'obeying')
    this.#commits = this.isSynchronous
      ? undefined
      : new SharedCommits(this.#connection, groups => this.#decideAll(groups))
  }

  evaluate(group: Group): Evaluation | Promise<Evaluation> {
    if (this.#commits !== undefined) return this.#commits.add(group)
    const evaluation = this.#connection.transaction(() => {
      const decided = this.#decide(group)
      this.#sweeper.passing(1, decided.now / 1000)
      return decided
    })
    this.#heartbeat.sendIfDue(performance.now())
    return evaluation
  }

  forget(counters: readonly CounterId[]): number {
    return this.#connection.transaction(() => this.#counters.remove(counters))
  }

  /** Tests whether the file can be written. It never lets the event loop stand still. */
  async probe(): Promise<void> {
    const { processes } = this.#connection.tables
    // SQLite does not write a row that stays the same.
    const text = `insert into ${processes} values ('probing', '', 0)
      on conflict (role, id) do update set seen_at = seen_at + 1`
    await inLaterTurns(
      () => this.#connection.transaction(() => this.#connection.prepare(text).run(), 0),
      PROBE_MS,
    )
  }

  instances(): number {
    return this.#heartbeat.count
  }

  /**
   * Counts the processes that use this store under this prefix: those that decided, or read what operators have set, during the last 15 s. It
   * does not count those whose limiters got a number for `instances`.
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

  document(name: string): StoreDocument {
    if (!isDocumentName(name))
      throw new HaltError(
        'HALT_E_STORE_OPTION',
        `${JSON.stringify(name)} is not the name of a document.`,
        'Give 1 to 32 lower-case letters, digits and hyphens, the first a letter.',
      )
    return documentOf(this.#connection, name, () => {
      for (const one of [this.#heartbeat, this.#obeying]) one.sendIfDue(performance.now())
    })
  }

  /**
   * Removes every counter that equals a fresh one, in short transactions. Checks do so little by little, so no application has to call
   * it. Resolves to the number of counters removed.
   */
  sweep(): Promise<number> {
    return this.#sweeper.sweepAll(this.clock)
  }

  /** Looks for mistakes in the set-up: the log, the disk, the file and its rights. Resolves to the warnings. */
  inspect(): Promise<HaltWarning[]> {
    return inspect(this.#connection, () => this.probe())
  }

  /** Waits for the checks that are on their way, half a second at most. Your database stays open; close it afterwards. */
  close(): Promise<void> {
    return pollUntil(() => this.#commits?.isIdle !== false, CLOSE_MS)
  }

  /** Decides groups in one transaction. A group that cannot be decided fails alone, and changes nothing. */
  #decideAll(groups: readonly Group[]): (Evaluation | Error)[] {
    const decided = this.#connection.transaction(() => {
      const evaluations = groups.map(group => {
        try {
          return this.#decide(group)
        } catch (error) {
          if (error instanceof StoreMisread) return Object.assign(error, { unsent: true })
          throw error
        }
      })
      this.#sweeper.passing(groups.length, this.clock())
      return evaluations
    }, 0)
    this.#heartbeat.sendIfDue(performance.now())
    return decided
  }

  /** Decides a group under the lock, by a clock that is read under it: so the instants of all processes are in the order of decisions. */
  #decide(group: Group): Evaluation {
    const now = readClock(this.clock)
    if (now === undefined)
      throw new StoreMisread('the clock returned no instant', 'Return Unix milliseconds.')
    const counters = this.#counters
    counters.now = now
    try {
      const evaluation = decide(group, counters, now)
      counters.write()
      return evaluation
    } finally {
      counters.forgetChanges()
    }
  }
}
