import { HaltError } from '../base/errors.ts'
import { microsecondClock, toldAtOnce } from './clocks.ts'
import type { CounterId, Group, Store, Evaluation } from './contract.ts'
import { keyOf } from './counter-key.ts'
import { type Change, decideOver, keysOf } from './key-value.ts'

/** A value and the version it had when it was read. */
export interface Versioned<V> {
  readonly value: string | undefined
  /** Of a missing value too: whatever makes the swap fail when somebody wrote meanwhile. */
  readonly version: V
}

/** A write that counts only if nobody wrote since. */
export interface Swap<V> extends Omit<Change, 'expiresAt'> {
  /** As in a change; undefined where the value stays as it is and only its version is checked. */
  readonly expiresAt: number | undefined
  readonly version: V
}

/** A key-value database with versions. */
export interface CasBackend<V> {
  /** Reads values and their versions, in the order of the keys. */
  read(keys: readonly string[]): Promise<readonly Versioned<V>[]>
  /** Writes all of them if every version still is the current one, else none; false when it wrote none. */
  swap(swaps: readonly Swap<V>[]): Promise<boolean>
  /** Removes values; resolves to how many of them there were. */
  remove(keys: readonly string[]): Promise<number>
}

/** Options of {@link casStore}. */
export interface CasStoreOptions {
  /** For labels. Default `"cas"`. */
  readonly kind?: string | undefined
  /** Unix milliseconds. Default the system's; give the database's where processes' clocks may differ. */
  readonly clock?: (() => number | Promise<number>) | undefined
  /** How often a decision is made anew when others wrote in between. Default 32. */
  readonly attempts?: number | undefined
}

/**
 * Makes a store of a versioned key-value database: reads, decides, and writes if nobody wrote in between.
 *
 * @example
 * const store = casStore({ read, swap, remove })
 */
export function casStore<V>(
  backend: CasBackend<V>,
  { kind = 'cas', clock = Date.now, attempts = 32 }: CasStoreOptions = {},
): Store {
  const now = microsecondClock(clock)
  return {
    kind,
    clock: toldAtOnce(clock),
    async evaluate(group: Group): Promise<Evaluation> {
      const keys = keysOf(group)
      for (let attempt = 0; attempt < attempts; attempt++) {
        const found = await backend.read(keys)
        const values = new Map<string, string>()
        for (const [i, { value }] of found.entries())
          if (value !== undefined) values.set(keys[i] as string, value)
        const { evaluation, changes } = decideOver(group, values, await now())
        if (changes.length === 0) return evaluation
        // What was only read decided too: its version must hold as well, so it is written back as it was.
        if (await backend.swap(swapsOf(keys, found, changes))) return evaluation
      }
      throw new HaltError(
        'HALT_E_STORE_BUSY',
        `Others wrote in between ${attempts} times.`,
        'Raise attempts, or use a store that decides where the data is.',
      )
    },
    forget: (counters: readonly CounterId[]) =>
      backend.remove(counters.map(({ subject, counter }) => keyOf(subject, counter))),
  }
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
