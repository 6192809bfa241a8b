import { leases } from '../lease/lease-wing.ts'
import { resilience } from '../resilience/guarded-store.ts'
import { microsecondClock, synchronousClock } from './clocks.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { keyOf } from '../store/counter-key.ts'
import { counterMark } from '../store/place.ts'
import { type Change, decideOver, keysOf } from './key-value.ts'
import { notApplied } from './not-applied.ts'
import { checkInstant } from '../store/evaluation-check.ts'
import {
  fromValue,
  keyOfDocument,
  NEVER_EXPIRES,
  toValue,
  versionAfter,
  type VersionedText,
} from '../store/document.ts'

/** One transaction of a database. */
export interface Transaction {
  /**
   * Reads values, and locks them until the transaction ends. It must lock missing values too. Otherwise two transactions could
   * insert the same row at once, and one of the charges would be lost.
   */
  lock(keys: readonly string[]): Promise<ReadonlyMap<string, string>>
  write(changes: readonly Change[]): Promise<void>
  /** The database's clock in Unix milliseconds. Used instead of the store's `clock`. */
  now?(): Promise<number>
}

/** A database with transactions. */
export interface TxBackend {
  /**
   * Runs `work` in a transaction. If `work` rejects, nothing of it is kept. If the commit rejects, Halt takes it for maybe made, unless
   * the error says otherwise as that of `Store.evaluate` does.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** Removes values. Resolves to the number of values that existed. */
  remove(keys: readonly string[]): Promise<number>
}

/** Options of {@link txStore}. */
export interface TxStoreOptions {
  /** The store's kind, for labels. Default `"sql"`. */
  readonly kind?: string | undefined
  /** A clock in Unix milliseconds, used if a transaction has no `now`. Default: the system's. */
  readonly clock?: (() => number | Promise<number>) | undefined
}

/**
 * Makes a store from a database with transactions. It locks the counters, decides, and writes. Every process locks keys in the
 * same order, so that two decisions never wait for each other.
 *
 * @example
 * const store = txStore({ transaction, remove })
 */
export function txStore(backend: TxBackend, { kind = 'sql', clock = Date.now }: TxStoreOptions = {}): Store {
  const own = microsecondClock(clock)
  const mark = counterMark(group => store.evaluate(group))
  const store: Store = {
    kind,
    mark: () => mark,
    evaluator: resilience,
    leases,
    clock: synchronousClock(clock),
    async evaluate(group: Group): Promise<Evaluation> {
      let mayBeCommitted = false
      const work = async (transaction: Transaction): Promise<Evaluation> => {
        const values = await transaction.lock(keysOf(group))
        // Read the clock after the locks, so that a decision that waited gets a later instant than the one it waited for.
        const now =
          transaction.now === undefined
            ? await own()
            : Math.floor(checkInstant(await transaction.now()) * 1000)
        const { evaluation, changes } = decideOver(group, values, now, transaction.now !== undefined)
        if (changes.length > 0) await transaction.write(changes)
        mayBeCommitted = true
        return evaluation
      }
      try {
        return await backend.transaction(work)
      } catch (error) {
        throw mayBeCommitted ? error : notApplied(error)
      }
    },
    document: name => ({
      read: since =>
        backend.transaction(async transaction => {
          const found = await readIn(transaction, name)
          return found.version === since ? undefined : found
        }),
      write: (text, since) =>
        backend.transaction(async transaction => {
          const { version } = await readIn(transaction, name)
          if (version !== since) return undefined
          const next = versionAfter(since)
          const value = toValue({ version: next, text })
          await transaction.write([{ key: keyOfDocument(name), value, expiresAt: NEVER_EXPIRES }])
          return next
        }),
    }),
    forget: (counters: readonly CounterId[]) =>
      backend.remove(counters.map(({ subject, counter }) => keyOf(subject, counter))),
  }
  return store
}

async function readIn(transaction: Transaction, name: string): Promise<VersionedText> {
  const key = keyOfDocument(name)
  return fromValue((await transaction.lock([key])).get(key))
}
