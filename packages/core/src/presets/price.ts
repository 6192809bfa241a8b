import { fromCaller } from '../base/warnings.ts'
import { describe, HaltError } from '../base/errors.ts'

/** The millionths of a dollar in a dollar, and the tokens that a price is given for. */
const MILLION = 1_000_000
/** The most dollars that can be counted in millionths. */
const MOST_DOLLARS = 999_999_999.999999

/**
 * Dollars as the whole number of millionths of a dollar that budgets count, rounded to the nearest.
 *
 * @throws HaltError `HALT_E_PRICE`
 * @example
 * const day = { name: 'day', limit: usd(50), period: 'daily', unit: 'usd-micro', status: 402 }
 */
export function usd(dollars: number): number {
  return fromCaller(usd, () => {
    if (typeof dollars === 'number' && dollars >= 0 && dollars <= MOST_DOLLARS)
      return Math.round(dollars * MILLION)
    throw wrongPrice(`usd got ${describe(dollars)}`, `Give dollars from 0 to ${MOST_DOLLARS}.`)
  })
}

/** The tokens that a call used, by class. A class that is left out was not used. */
export type TokenUsage<C extends string = string> = { readonly [K in C]?: number | undefined }

/**
 * Makes a function that prices calls: it takes tokens by class, and returns millionths of a dollar. The sum is exact, and rounded up
 * once.
 *
 * Classes must not overlap: each token belongs to one. Some providers report tokens that were read from a cache as a part of the
 * input, so subtract them.
 *
 * @param prices dollars per million tokens, by class, with up to six decimals
 * @throws HaltError `HALT_E_PRICE` for a wrong price. The function throws `HALT_E_USAGE` for a usage that it cannot price
 * @example
 * const price = priceOf({ input: 3, cached: 0.3, output: 15 })
 * await call.settle({ day: price({ input: 1200 - 1000, cached: 1000, output: 340 }) })
 */
export function priceOf<const C extends string>(
  prices: Readonly<Record<C, number>>,
): (usage: TokenUsage<C>) => number {
  const rates = fromCaller(priceOf, () => readPrices(prices))
  return usage => price(usage, rates)
}

function readPrices(prices: unknown): ReadonlyMap<string, number> {
  const isList = typeof prices === 'object' && prices !== null && !Array.isArray(prices)
  const entries: [string, unknown][] = isList ? Object.entries(prices) : []
  if (entries.length === 0)
    throw wrongPrice(
      `priceOf got ${describe(prices)}`,
      'Give dollars per million tokens: { input: 3, output: 15 }.',
    )
  refuseOverlap(entries.map(([name]) => name))
  return new Map(
    entries.map(([name, dollars]) => {
      const rate = typeof dollars === 'number' ? Math.round(dollars * MILLION) : Number.NaN
      const isExact = rate >= 0 && rate / MILLION === dollars
      if (isExact && rate <= Number.MAX_SAFE_INTEGER) return [name, rate]
      throw wrongPrice(
        `The price of ${describe(name)} is ${describe(dollars)}`,
        'Give dollars per million tokens, from 0 on, with up to six decimals.',
      )
    }),
  )
}

// Names by which providers report the same tokens, each list for one class.
const SAME = [
  /^(input|prompt)(_?tokens)?$/i,
  /^(output|completion)(_?tokens)?$/i,
  /^cache(d|_?read)(_?input)?(_?tokens)?$/i,
]
const ALL = /^total/i

/** Refuses classes that certainly overlap, because their tokens would be paid twice. */
function refuseOverlap(names: readonly string[]): void {
  const all = names.find(name => ALL.test(name))
  const twins = SAME.map(same => names.filter(name => same.test(name))).find(({ length }) => length > 1)
  const pair = all !== undefined && names.length > 1 ? [all, names.find(name => name !== all)] : twins
  if (pair === undefined) return
  throw wrongPrice(
    `The classes ${pair.map(name => describe(name)).join(' and ')} overlap`,
    'Each token must belong to one class, or it would be paid twice. Leave one of them out.',
  )
}

function price(usage: unknown, rates: ReadonlyMap<string, number>): number {
  const entries = typeof usage === 'object' && usage !== null ? Object.entries(usage) : []
  const given = entries.filter(([, tokens]) => tokens !== undefined)
  if (given.length === 0)
    throw wrongUsage(
      `The usage is ${describe(usage)}, which names no tokens`,
      'If the model reported none, settle by what you charged or reserved, and not by 0.',
    )
  let sum = 0
  let large = 0n
  for (const [name, tokens] of given) {
    const rate = rates.get(name)
    if (rate === undefined)
      throw wrongUsage(
        `The usage names ${describe(name)}, which has no price`,
        `The prices are of ${[...rates.keys()].join(', ')}.`,
      )
    if (!Number.isSafeInteger(tokens) || (tokens as number) < 0)
      throw wrongUsage(
        `The usage of ${describe(name)} is ${describe(tokens)}`,
        'Give a whole number of tokens, 0 or more.',
      )
    // A product beyond the exact integers is added in integers of any size.
    const product = rate * (tokens as number)
    if (product <= Number.MAX_SAFE_INTEGER - sum) sum += product
    else large += BigInt(rate) * BigInt(tokens as number)
  }
  if (large === 0n) return Math.ceil(sum / MILLION)
  return Number((large + BigInt(sum) + 999_999n) / 1_000_000n)
}

function wrongPrice(summary: string, fix: string): HaltError {
  return new HaltError('HALT_E_PRICE', `${summary}.`, fix)
}

function wrongUsage(summary: string, fix: string): HaltError {
  return new HaltError('HALT_E_USAGE', `${summary}.`, fix)
}
