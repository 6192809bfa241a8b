// Sums of products of unknown numbers, written out so that equal ones are the same text. A solver then sees each product as one number,
// of which the facts below hold. That is quick, and it can only make the solver find a case too many.

/** A number, or a name of one, or a sum of products of them. */
export interface Sum {
  /** The products by their text, each with how often it is added. */
  readonly parts: ReadonlyMap<string, Part>
  /** What the whole sum is divided by. */
  readonly by: bigint
}

interface Part {
  readonly names: readonly string[]
  readonly times: bigint
}

/** The sum of nothing but a number. */
export function constant(value: number): Sum {
  let [whole, by] = [value, 1n]
  while (!Number.isInteger(whole)) [whole, by] = [whole * 2, by * 2n]
  return sumOf([{ names: [], times: BigInt(whole) }], by)
}

/** The sum of nothing but an unknown number. */
export function unknown(name: string): Sum {
  return sumOf([{ names: [name], times: 1n }], 1n)
}

/** a + times * b. */
export function plus(a: Sum, b: Sum, times = 1n): Sum {
  const scaled = (sum: Sum, factor: bigint): Part[] =>
    [...sum.parts.values()].map(part => ({ names: part.names, times: part.times * factor }))
  return sumOf([...scaled(a, b.by), ...scaled(b, a.by * times)], a.by * b.by)
}

export function product(a: Sum, b: Sum): Sum {
  const parts = [...a.parts.values()].flatMap(one =>
    [...b.parts.values()].map(other => ({
      names: [...one.names, ...other.names].sort(),
      times: one.times * other.times,
    })),
  )
  return sumOf(parts, a.by * b.by)
}

/** The names of the products in a sum. */
export function productsIn({ parts }: Sum): (readonly string[])[] {
  return [...parts.values()].flatMap(({ names }) => (names.length > 1 ? [names] : []))
}

/** The one number that stands for a product. */
export function nameOf(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `|${names.join(' ')}|`
}

/** A sum as text of SMT-LIB. */
export function textOf({ parts, by }: Sum): string {
  const terms = [...parts.values()].map(({ names, times }) => {
    const size = signed(times)
    return names.length === 0 ? size : times === 1n ? nameOf(names) : `(* ${size} ${nameOf(names)})`
  })
  const sum = terms.length === 0 ? '0' : terms.length === 1 ? terms[0]! : `(+ ${terms.join(' ')})`
  return by === 1n ? sum : `(/ ${sum} ${by})`
}

function signed(whole: bigint): string {
  return whole < 0n ? `(- ${-whole})` : String(whole)
}

function sumOf(parts: readonly Part[], by: bigint): Sum {
  const all = new Map<string, Part>()
  for (const { names, times } of parts) {
    const key = names.join(' ')
    all.set(key, { names, times: times + (all.get(key)?.times ?? 0n) })
  }
  const left = [...all].filter(([, { times }]) => times !== 0n).sort(([a], [b]) => (a < b ? -1 : 1))
  let common = by
  for (const [, { times }] of left) common = gcd(common, times < 0n ? -times : times)
  return {
    parts: new Map(left.map(([key, { names, times }]) => [key, { names, times: times / common }])),
    by: by / common,
  }
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b)
}
