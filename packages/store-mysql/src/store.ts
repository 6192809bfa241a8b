import { leases } from '@halt/core/lease'
import { resilience } from '@halt/core/resilience'
import { fromCaller, type HaltWarning, type Warn, warnOnce } from '@halt/core'
import {
  type CounterId,
  type Evaluation,
  type Group,
  Heartbeat,
  pollUntil,
  readClock,
  type Store,
  type StoreDocument,
  type StoreMark,
  txStore,
} from '@halt/core/store'

import { backendOf } from './backend.ts'
import { Connections } from './connections.ts'
import { inspect } from './inspection.ts'
import { checkOptions, type MysqlStoreOptions } from './options.ts'
import { storeError, toStoreError } from './store-error.ts'
import { Sweeper } from './sweeper.ts'
import { rowsOf, Table } from './table.ts'

// A server that hangs sends no replies.
const CLOSE_MS = 500

/**
 * A store of counters in MySQL or MariaDB, which all processes share. Checks that come together share a transaction, and the server's
 * clock decides. Run {@link MysqlStore.schema} once before.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 * @example
 * const store = new MysqlStore({ pool: mysql.createPool({ uri: process.env.DATABASE_URL, connectionLimit: 4 }) })
 */
export class MysqlStore implements Store {
  readonly kind: string = 'mysql'
  readonly evaluator: typeof resilience = resilience
  readonly leases: typeof leases = leases
  readonly isChecked: boolean = true
  readonly keepsPace: boolean
  /** The kind and the table. */
  readonly place: readonly unknown[]
  /** Unix milliseconds. Present only if the store was given a clock. */
  declare readonly clock?: () => number
  readonly #connections: Connections
  readonly #table: Table
  readonly #store: Store
  readonly #sweeper: Sweeper
  readonly #heartbeat: Heartbeat
  // Of the processes that obey the control document.
  readonly #obeying: Heartbeat

  constructor(options: MysqlStoreOptions) {
    fromCaller(MysqlStore, () => checkOptions(options))
    const { pool, table = 'halt_counters', clock, warn } = options
    this.keepsPace = clock === undefined
    if (clock !== undefined) this.clock = clock
    this.place = ['mysql', undefined, `table ${table}`]
    this.#connections = new Connections(pool)
    this.#table = new Table(table)
    this.#sweeper = new Sweeper(this.#connections, this.#table)
    const passed = (made: number): void => {
      if (clock === undefined) this.#sweeper.passed(made)
    }
    const backend = backendOf(this.#connections, this.#table, clock === undefined, passed)
    this.#store = txStore(backend, {
      kind: this.kind,
      ...(clock === undefined ? {} : { clock: checked(clock) }),
    })
    this.#heartbeat = this.#heartbeatOf('process:', warnOnce(warn))
    this.#obeying = this.#heartbeatOf('obeying:', warnOnce(warn))
  }

  evaluate(group: Group): Promise<Evaluation> {
    this.#heartbeat.sendIfDue(performance.now())
    return this.#store.evaluate(group) as Promise<Evaluation>
  }

  forget(counters: readonly CounterId[]): Promise<number> {
    return this.#store.forget(counters) as Promise<number>
  }

  probe(): Promise<unknown> {
    return this.#connections.run(this.#table.read([]))
  }

  instances(): number {
    return this.#heartbeat.count
  }

  /**
   * Counts the processes that use this table: those that decided, or read what operators have set, during the last 15 s. It does not
   * count those whose limiters got a number for `instances`, and this one only if it decides.
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

  mark(subject: string): StoreMark {
    return this.#store.mark!(subject)
  }

  document(name: string): StoreDocument {
    const own = this.#store.document!(name)
    return {
      read: async since => {
        const found = await own.read(since)
        for (const one of [this.#heartbeat, this.#obeying]) one.sendIfDue(performance.now())
        return found
      },
      write: (text, since) => own.write(text, since),
    }
  }

  /** The statement that makes the table. It can run again at any time, and keeps all counters. */
  schema(): string {
    return this.#table.schema
  }

  /** Removes every counter that equals a fresh one. Checks do so little by little, so no application has to call it. */
  sweep(): Promise<number> {
    return this.#sweeper.sweepAll()
  }

  /** Waits for the statements that are on their way, half a second at most. Your pool stays open; end it afterwards. */
  close(): Promise<void> {
    return pollUntil(() => this.#connections.isIdle, CLOSE_MS)
  }

  inspect(): Promise<HaltWarning[]> {
    return inspect(this.#connections, this.#table)
  }

  #heartbeatOf(start: string, warn: Warn): Heartbeat {
    return new Heartbeat({
      send: async (id, ttl) => {
        if (id !== '') await this.#connections.run(this.#table.beat(`${start}${id}`, ttl))
        const [[count] = []] = rowsOf(await this.#connections.run(this.#table.alive(start)))
        return Number(count)
      },
      failed(error) {
        const { code, message } = toStoreError(error)
        if (code === 'HALT_E_STORE_PERMISSION') warn(uncounted(message))
      },
    })
  }
}

/** A clock whose wrong answers are the user's mistake. */
function checked(clock: () => number): () => number {
  return () => {
    const ms: unknown = clock()
    if (readClock(() => ms) !== undefined) return ms as number
    throw storeError('The clock of the store returned no number', 'misconfigured')
  }
}

function uncounted(why: string): HaltWarning {
  return {
    code: 'HALT_W_PERMISSION',
    message: `The database refuses to count the processes, so each of them takes the whole limit in an outage: ${why}.`,
    fix: 'Grant the user select, insert, update and delete on the table, or set the number of processes, such as instances: 4.',
  }
}
