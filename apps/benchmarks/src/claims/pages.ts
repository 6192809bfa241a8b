import { readFileSync } from 'node:fs'

/** A number that a page prints. */
interface Printed {
  /** The page, from the root of the repository. */
  readonly page: string
  /** Finds the sentence; its first group is the number, where the sentence has one. */
  readonly pattern: RegExp
}

/** A claim: what was measured must keep to what its pages print. */
export interface Claim {
  readonly what: string
  readonly printed: readonly Printed[]
  /** `most`: the value may not exceed the number; `least`: it may not fall below; `same`: it must be equal. */
  readonly rule: 'most' | 'least' | 'same'
  readonly unit: '×' | 'µs' | 'ms' | 'calls' | 'requests'
  /** The bound of a sentence without a number, or how far its number reaches. */
  readonly bound?: number
  /** What the measured value may have beyond the bound: what a busy machine adds. */
  readonly allowance?: number
}

/** Everything that README, site and comparison print as a number, or say of a peer's. */
export const CLAIMS = {
  redis: {
    what: 'checks per second through Redis, 64 in flight, to the fastest peer',
    printed: [
      { page: 'README.md', pattern: /decides (\d\.\d) to \d\.\d times as many per second as the fastest/ },
      { page: 'apps/site/home.md', pattern: /<dt>(\d\.\d)–\d\.\d ×<\/dt><dd>the checks per second/ },
    ],
    rule: 'least',
    unit: '×',
  },
  check: {
    what: 'a whole check of a request in memory, CPU time',
    printed: [
      { page: 'README.md', pattern: /In memory a check takes \d\.\d to (\d\.\d) µs/ },
      { page: 'apps/site/home.md', pattern: /<dt>\d\.\d–(\d\.\d) µs<\/dt><dd>for a whole check/ },
    ],
    rule: 'most',
    unit: 'µs',
  },
  hung: {
    what: 'the longest wait for a Redis that hangs, less what a bare timer was late and the process worked',
    allowance: 5,
    printed: [
      { page: 'README.md', pattern: /a request waits at most (\d+) ms for it/ },
      { page: 'apps/site/home.md', pattern: /<dt>(\d+) ms<\/dt><dd>is the deadline for a Redis that hangs/ },
      { page: 'docs/comparison.md', pattern: /longest wait for a hung Redis[ |]+\[(\d+) ms\]/ },
    ],
    rule: 'most',
    unit: 'ms',
  },
  waits: {
    what: 'peers without a deadline that still wait for a Redis that hangs, after a second',
    printed: [{ page: 'docs/comparison.md', pattern: /\[100 ms\].*\[none set\].*\[none set\]/ }],
    rule: 'least',
    unit: 'requests',
    bound: 2,
  },
  trip: {
    what: 'calls of Redis for a check of three limits, one in flight',
    printed: [{ page: 'RELIABILITY.md', pattern: /in \*\*one round\s+trip\*\*/ }],
    rule: 'most',
    unit: 'calls',
    bound: 1,
  },
  hot: {
    what: 'a hot key in memory, the dearer of @fastify/rate-limit and hono-rate-limiter, to Halt',
    printed: [
      {
        page: 'docs/comparison.md',
        pattern: /A hot key in memory costs @fastify\/rate-limit and hono-rate-limiter \[a third less\]/,
      },
    ],
    rule: 'most',
    unit: '×',
    bound: 0.8,
  },
  group: {
    what: 'requests that two routes of a group of @fastify/rate-limit admit at a limit of 2',
    printed: [{ page: 'docs/comparison.md', pattern: /of a limit of 2, two routes\s+admitted (\d)/ }],
    rule: 'same',
    unit: 'requests',
  },
  name: {
    what: 'requests that two routes with a policy of one name admit at a limit of 2, in Halt',
    printed: [
      { page: 'docs/comparison.md', pattern: /Policies of one `name` are one counter, on any routes/ },
    ],
    rule: 'same',
    unit: 'requests',
    bound: 2,
  },
} as const satisfies Record<string, Claim>

export type ClaimName = keyof typeof CLAIMS

/** The bound of a claim: the number that its pages print. @throws if a page does not print it, or they differ */
export function boundOf(claim: Claim): number {
  const numbers = claim.printed.map(({ page, pattern }) => {
    const match = pattern.exec(readFileSync(new URL(`../../../../${page}`, import.meta.url), 'utf8'))
    if (match === null) throw new Error(`${page} does not print: ${claim.what}.`)
    const number = match[1] === undefined ? claim.bound : Number(match[1])
    if (number === undefined) throw new Error(`The claim has no number: ${claim.what}.`)
    return number
  })
  const [bound = Number.NaN] = numbers
  if (numbers.some(number => number !== bound))
    throw new Error(`The pages print other numbers: ${claim.what}: ${numbers.join(', ')}.`)
  return bound
}

/** Whether a measured value keeps to the bound. */
export function holds({ rule, allowance = 0 }: Claim, bound: number, measured: number): boolean {
  return rule === 'most'
    ? measured <= bound + allowance
    : rule === 'least'
      ? measured >= bound
      : measured === bound
}
