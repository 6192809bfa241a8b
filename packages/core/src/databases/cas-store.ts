import { HaltError } from '../base/errors.ts'
import { leases } from '../lease/lease-wing.ts'
import { resilience } from '../resilience/guarded-store.ts'
import { microsecondClock, synchronousClock } from './clocks.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { keyOf } from '../store/counter-key.ts'
import { counterMark } from '../store/place.ts'
import { fromValue, keyOfDocument, NEVER_EXPIRES, toValue, versionAfter } from '../store/document.ts'
import { type Change, decideOver, keysOf } from './key-value.ts'
import { notApplied } from './not-applied.ts'

/** A value, and the version that it had when it was read. */
export interface Versioned<V> {
  readonly value: string | undefined
  /** Makes a swap fail if another process has written the key since. A missing value has a version too. */
  readonly version: V
}

/** A write that is applied only if the key still has this version. */
export interface Swap<V> extends Omit<Change, 'expiresAt'> {
  /** As in {@link Change}; undefined if the value stays the same and only its version is checked. */
  readonly expiresAt: number | undefined
  readonly version: V
}

/** A key-value database with versions. */
export interface CasBackend<V> {
  /** Reads values and their versions, in the order of the keys. */
  read(keys: readonly string[]): Promise<readonly Versioned<V>[]>
  /**
   * Applies all swaps if every version is still current, else none. Resolves to whether they were applied. If it rejects, Halt takes
   * them for maybe applied, unless the error says otherwise as that of `Store.evaluate` does.
   */
  swap(swaps: readonly Swap<V>[]): Promise<boolean>
  /** Removes values. Resolves to the number of values that existed. */
  remove(keys: readonly string[]): Promise<number>
}

/** Options of {@link casStore}. */
export interface CasStoreOptions {
  /** The store's kind, for labels. Default `"cas"`. */
  readonly kind?: string | undefined
  /** A clock in Unix milliseconds. Default: the system's. Give the database's if the clocks of processes may differ. */
  readonly clock?: (() => number | Promise<number>) | undefined
  /** How many times a decision is tried while other processes write the same keys. Default 32. */
  readonly attempts?: number | undefined
}

/**
 * Makes a store from a versioned key-value database. It reads the counters, decides, and writes if no other process has written
 * since. Otherwise it starts again.
 *
 * Its `evaluate` rejects with a HaltError `HALT_E_STORE_BUSY` after the last attempt.
 *
 * @example
 * const store = casStore({ read, swap, remove })
 */
export function casStore<V>(
  backend: CasBackend<V>,
  { kind = 'cas', clock = Date.now, attempts = 32 }: CasStoreOptions = {},
): Store {
  const now = microsecondClock(clock)
  const decideNow = async (group: Group): Promise<{ evaluation: Evaluation; swaps: readonly Swap<V>[] }> => {
    const keys = keysOf(group)
    try {
      const found = await backend.read(keys)
      const values = new Map<string, string>()
      for (const [i, { value }] of found.entries())
        if (value !== undefined) values.set(keys[i] as string, value)
      const { evaluation, changes } = decideOver(group, values, await now())
      // Counters that the decision only read are swapped unchanged, because their versions must still be current too.
      return { evaluation, swaps: changes.length === 0 ? [] : swapsOf(keys, found, changes) }
    } catch (error) {
      // A change that was not swapped was not applied.
      throw notApplied(error)
    }
  }
  const mark = counterMark(group => store.evaluate(group))
  const store: Store = {
    kind,
    mark: () => mark,
    evaluator: resilience,
    leases,
    clock: synchronousClock(clock),
    async evaluate(group: Group): Promise<Evaluation> {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const { evaluation, swaps } = await decideNow(group)
        if (swaps.length === 0 || (await backend.swap(swaps))) return evaluation
      }
      const busy = new HaltError(
        'HALT_E_STORE_BUSY',
        `Other processes wrote the same keys during each of ${attempts} attempts.`,
        'Raise attempts, or use a store that decides beside the data.',
      )
      throw Object.assign(busy, { unsent: true })
    },
    document: name => ({
      async read(since) {
        const found = fromValue((await readOne(backend, name)).value)
        return found.version === since ? undefined : found
      },
      async write(text, since) {
        const { value, version } = await readOne(backend, name)
        if (fromValue(value).version !== since) return undefined
        const next = versionAfter(since)
        const written = toValue({ version: next, text })
        const swap = { key: keyOfDocument(name), value: written, expiresAt: NEVER_EXPIRES, version }
        return (await backend.swap([swap])) ? next : undefined
      },
    }),
    forget: (counters: readonly CounterId[]) =>
      backend.remove(counters.map(({ subject, counter }) => keyOf(subject, counter))),
  }
  return store
}

function swapsOf<V>(
  keys: readonly string[],
  found: readonly Versioned<V>[],
  changes: readonly Change[],
): Swap<V>[] {
  const byKey = new Map(changes.map(change => [change.key, change]))
  return keys.map((key, i) => {
    const { value, version } = found[i] as Versioned<V>
    return { ...(byKey.get(key) ?? { key, value, expiresAt: undefined }), version }
  })
}

async function readOne<V>(backend: CasBackend<V>, name: string): Promise<Versioned<V>> {
  const [found] = await backend.read([keyOfDocument(name)])
  return found as Versioned<V>
}
