import { microsecondClock, toldAtOnce } from './clocks.ts'
import type { CounterId, Group, Store, Evaluation } from './contract.ts'
import { keyOf } from './counter-key.ts'
import { type Change, decideOver, keysOf } from './key-value.ts'
import { checkInstant } from './evaluation-check.ts'

/** One transaction of a database. */
export interface Transaction {
  /**
   * Reads values and keeps everybody else from them until the transaction ends, those that are missing included: a row
   * that two transactions insert at once is charged once too little.
   */
  lock(keys: readonly string[]): Promise<ReadonlyMap<string, string>>
  write(changes: readonly Change[]): Promise<void>
  /** The database's clock, Unix milliseconds; wins over the store's. */
  now?(): Promise<number>
}

/** A database with transactions. */
export interface TxBackend {
  /** Runs work in a transaction: all of it counts, or, when it rejects, nothing. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** Removes values; resolves to how many of them there were. */
  remove(keys: readonly string[]): Promise<number>
}

/** Options of {@link txStore}. */
export interface TxStoreOptions {
  /** For labels. Default `"sql"`. */
  readonly kind?: string | undefined
  /** Unix milliseconds, where a transaction has no clock. Default the system's. */
  readonly clock?: (() => number | Promise<number>) | undefined
}

/**
 * Makes a store of a database with transactions: locks the counters, decides, writes. The keys are locked in one order
 * everywhere, so that two decisions never wait for each other.
 *
 * @example
 * const store = txStore({ transaction, remove })
 */
export function txStore(backend: TxBackend, { kind = 'sql', clock = Date.now }: TxStoreOptions = {}): Store {
  const own = microsecondClock(clock)
  return {
    kind,
    clock: toldAtOnce(clock),
    evaluate: (group: Group): Promise<Evaluation> =>
      backend.transaction(async transaction => {
        const values = await transaction.lock(keysOf(group))
        // After the locks: the instant of whoever waited is later than that of whom it waited for.
        const now =
          transaction.now === undefined
            ? await own()
            : Math.floor(checkInstant(await transaction.now()) * 1000)
        const { evaluation, changes } = decideOver(group, values, now)
        if (changes.length > 0) await transaction.write(changes)
        return evaluation
      }),
    forget: (counters: readonly CounterId[]) =>
      backend.remove(counters.map(({ subject, counter }) => keyOf(subject, counter))),
  }
}
