import type { casStore, Versioned } from '../../src/databases/index.ts'

/** A key-value database with a version per key. It replies one turn of the event loop later. */
export function versioned(): Parameters<typeof casStore<number>>[0] {
  const rows = new Map<string, Versioned<number>>()
  const read = (key: string): Versioned<number> => rows.get(key) ?? { value: undefined, version: 0 }
  return {
    async read(keys) {
      await Promise.resolve()
      return keys.map(read)
    },
    async swap(swaps) {
      await Promise.resolve()
      if (swaps.some(({ key, version }) => read(key).version !== version)) return false
      for (const { key, value, version } of swaps) rows.set(key, { value, version: version + 1 })
      return true
    },
    async remove(keys) {
      await Promise.resolve()
      const there = keys.filter(key => read(key).value !== undefined)
      for (const key of keys) rows.set(key, { value: undefined, version: read(key).version + 1 })
      return there.length
    },
  }
}
