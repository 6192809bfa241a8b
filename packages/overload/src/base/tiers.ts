/** The importance of a request. In an overload batch is refused first, and critical last. */
export type Tier = 'critical' | 'normal' | 'batch'

/** The tiers, the most important first. A tier's place in this list is its rank. */
export const TIERS: readonly Tier[] = Object.freeze(['critical', 'normal', 'batch'])

/** The rank of a tier, from 0 for critical; undefined for any other value. */
export function rankOf(tier: unknown): number | undefined {
  return tier === 'normal' ? 1 : tier === 'batch' ? 2 : tier === 'critical' ? 0 : undefined
}

/** One number for each tier, by rank. */
export type ByRank = [critical: number, normal: number, batch: number]
