import type { StoreFactory } from './store-factory.ts'

/** The seeds of a kind of random tests: as many as the store plays histories, up to a number. */
export function seedsOf({ histories = 10 }: StoreFactory, most: number): number[] {
  return Array.from({ length: Math.min(most, histories) }, (_, i) => i + 1)
}
