import { fromCaller } from '../base/warnings.ts'
import { messageOf } from '../base/errors.ts'
import { leases } from '../lease/lease-wing.ts'
import { wasNotApplied } from '../resilience/circuit-breaker.ts'
import { resilience } from '../resilience/guarded-store.ts'
import { microsecondClock, synchronousClock } from './clocks.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { keyOf } from '../store/counter-key.ts'
import { counterMark } from '../store/place.ts'
import { type Change, decideInTurn, keysOf, keysOfLooks } from './key-value.ts'
import { notApplied } from './not-applied.ts'
import { checkWhole } from './whole-option.ts'
import { mayBeOfOne, type Outcome, SharedTransactions } from './shared-transactions.ts'
import { checkInstant } from '../store/evaluation-check.ts'
import {
  fromValue,
  keyOfDocument,
  NEVER_EXPIRES,
  toValue,
  versionAfter,
  type VersionedText,
} from '../store/document.ts'

/** Values that a transaction has locked. */
export interface LockedValues {
  readonly values: ReadonlyMap<string, string>
  /** The database's clock after the locks, in Unix milliseconds. Used instead of `now` of the transaction. */
  readonly now?: number | undefined
}

/** One transaction of a database. */
export interface Transaction {
  /**
   * Reads values, and locks them until the transaction ends. It must lock missing values too. Otherwise two transactions could
   * insert the same row at once, and one of the charges would be lost.
   *
   * @param keys in the order in which every process must lock them; there may be none
   * @param looks those of the keys that the transaction certainly does not write. They need no lock, and a missing one no row
   * @returns the values by their keys, or these and the time
   */
  lock(
    keys: readonly string[],
    looks: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, string> | LockedValues>
  write(changes: readonly Change[]): Promise<void>
  /** The database's clock in Unix milliseconds, asked after the locks. Used instead of the store's `clock`. */
  now?(): Promise<number>
}

/** A database with transactions. */
export interface TxBackend {
  /**
   * Runs `work` in a transaction. If `work` rejects, nothing of it is kept; it may then be run again. If the commit rejects, Halt takes it
   * for maybe made, unless the error says otherwise as that of `Store.evaluate` does.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** Removes values. Resolves to the number of values that existed. There may be no keys. */
  remove(keys: readonly string[]): Promise<number>
}

/** Options of {@link txStore}. */
export interface TxStoreOptions {
  /** The store's kind, for labels. Default `"sql"`. */
  readonly kind?: string | undefined
  /** A clock in Unix milliseconds, used if a transaction tells no time. Default: the system's. */
  readonly clock?: (() => number | Promise<number>) | undefined
  /**
   * The most transactions at once, 1 or more. Default 3, of which one is for counters that somebody else has locked. With 1, all calls
   * of the backend come one after the other, as a database with one connection needs it.
   */
  readonly transactions?: number | undefined
}

/**
 * Makes a store from a database with transactions. It locks the counters, decides, and writes. Checks that come while transactions are
 * on their way share the next one. Every process locks keys in the same order, so that two decisions never wait for each other.
 *
 * @throws HaltError `HALT_E_STORE_OPTION` if `transactions` is not a whole number from 1
 * @example
 * const store = txStore({ transaction, remove })
 */
export function txStore(
  given: TxBackend,
  { kind = 'sql', clock = Date.now, transactions = 3 }: TxStoreOptions = {},
): Store {
  fromCaller(txStore, () => checkWhole('transactions', transactions))
  const own = microsecondClock(clock)
  const backend = transactions === 1 ? oneAtATime(given) : given
  const shared = new SharedTransactions(groups => decideIn(backend, groups, own), transactions)
  const mark = counterMark(group => shared.add(group))
  return {
    kind,
    mark: () => mark,
    evaluator: resilience,
    leases,
    clock: synchronousClock(clock),
    evaluate: (group: Group): Promise<Evaluation> => shared.add(group),
    document: name => ({
      read: since =>
        backend.transaction(async transaction => {
          const found = await readIn(transaction, name, { isLook: true })
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
}

/** Decides groups in one transaction. */
async function decideIn(
  backend: TxBackend,
  groups: readonly Group[],
  own: () => Promise<number>,
): Promise<Outcome> {
  let [hasBegun, mayBeCommitted] = [false, false]
  try {
    const answers = await backend.transaction(async transaction => {
      hasBegun = true
      mayBeCommitted = false
      const found = await transaction.lock(keysOf(...groups), keysOfLooks(groups))
      const { values, now: told } = isLockedValues(found) ? found : { values: found }
      // Read the clock after the locks, so that a decision that waited gets a later instant than the one it waited for.
      const ms = told ?? (await transaction.now?.())
      const now = ms === undefined ? await own() : Math.floor(checkInstant(ms) * 1000)
      const { evaluations, changes } = decideInTurn(groups, values, now, ms !== undefined)
      if (changes.length > 0) await transaction.write(changes)
      mayBeCommitted = true
      return evaluations
    })
    return { answers }
  } catch (error) {
    if (mayBeCommitted) {
      const failed = error instanceof Error ? error : new Error(messageOf(error), { cause: error })
      return { error: failed, mayPassAlone: wasNotApplied(error) && mayBeOfOne(error) }
    }
    return { error: notApplied(error), mayPassAlone: hasBegun && mayBeOfOne(error) }
  }
}

function isLockedValues(found: ReadonlyMap<string, string> | LockedValues): found is LockedValues {
  return typeof (found as ReadonlyMap<string, string>).get !== 'function'
}

/** A database that gets its calls one after the other, each when the one before has settled. */
function oneAtATime(backend: TxBackend): TxBackend {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const result = last.then(call)
    last = result.catch(() => {})
    return result
  }
  return {
    transaction: work => inTurn(() => backend.transaction(work)),
    remove: keys => inTurn(() => backend.remove(keys)),
  }
}

const NO_LOOKS: ReadonlySet<string> = new Set()

async function readIn(
  transaction: Transaction,
  name: string,
  { isLook = false }: { readonly isLook?: boolean } = {},
): Promise<VersionedText> {
  const key = keyOfDocument(name)
  const found = await transaction.lock([key], isLook ? new Set([key]) : NO_LOOKS)
  return fromValue((isLockedValues(found) ? found.values : found).get(key))
}
