import type { Cost } from '@halt/core'
import { readGivenCost } from '@halt/core/http'

import type { ModelUsage } from './usage.ts'

/** A function that prices the tokens of a call: units of all policies, or units by policy name. */
export type Price = (usage: ModelUsage) => Cost

/** Prices calls. Tokens of a class without a price of its own are tokens of the input. */
export class Pricing {
  readonly #price: Price
  readonly #hasCached: boolean
  readonly #hasWritten: boolean

  /** @throws HaltError `HALT_E_USAGE` if the price is not of input and output; `HALT_E_COST` if it is no cost */
  constructor(price: Price) {
    this.#price = price
    price({ input: 1, output: 1 } as ModelUsage)
    this.#hasCached = hasPrice(price, { cached: 1 })
    this.#hasWritten = hasPrice(price, { written: 1 })
    this.costOf({ input: 1, output: 1 })
  }

  /** The cost of a call in whole units, so that the parts of a stream are not rounded up each. @throws HaltError `HALT_E_COST` */
  costOf({ input, cached = 0, written = 0, output }: Partial<ModelUsage> & Tokens): Cost {
    const rest = input + (this.#hasCached ? 0 : cached) + (this.#hasWritten ? 0 : written)
    const usage: { -readonly [K in keyof ModelUsage]?: number } = { input: rest, output }
    if (this.#hasCached) usage.cached = cached
    if (this.#hasWritten) usage.written = written
    return readGivenCost(this.#price(usage as ModelUsage))
  }
}

type Tokens = Pick<ModelUsage, 'input' | 'output'>

function hasPrice(price: Price, one: Partial<ModelUsage>): boolean {
  try {
    price({ input: 0, output: 0, ...one } as ModelUsage)
    return true
  } catch (error) {
    if ((error as { readonly code?: unknown } | null)?.code === 'HALT_E_USAGE') return false
    throw error
  }
}

/** What a cost is more than another one of the same price, by name or not. */
export function difference(cost: Cost, before: Cost | undefined): Cost {
  if (before === undefined) return cost
  if (typeof cost === 'number') return Math.max(0, cost - (typeof before === 'number' ? before : 0))
  const old = typeof before === 'number' ? {} : before
  return Object.fromEntries(
    Object.entries(cost).map(([name, units = 0]) => [name, Math.max(0, units - (old[name] ?? 0))]),
  )
}
