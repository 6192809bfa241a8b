import type { LimiterName } from './contestants/index.ts'
import type { Scenario } from './memory-run.ts'
import type { Target } from './report.ts'

/** The medians of the limiter's part. */
export interface LimiterFigures {
  /** The CPU time per call, as a multiple of another contestant's. */
  ratio(name: LimiterName, beside: LimiterName, scenario: Scenario): number
  /** … as a multiple of the bare loop's in the same process. */
  toBare(name: LimiterName, scenario: Scenario): number
  /** … in nanoseconds. */
  nanos(name: LimiterName, scenario: Scenario): number
  /** The bytes that a call of a hot key allocates. */
  bytes(name: LimiterName): number
}

const BOUNDS: readonly (readonly [
  what: string,
  bound: number,
  name: LimiterName,
  beside: LimiterName,
  scenario: Scenario,
])[] = [
  ['consume("key"), to rate-limiter-flexible', 1, 'consume', 'flexible', 'short'],
  ['consume, hot key of 20 characters, to rate-limiter-flexible', 1, 'consume', 'flexible', 'hot'],
  ['consume, 100 000 fresh keys, to rate-limiter-flexible', 0.7, 'consume', 'flexible', 'fresh'],
  ['consume, first-seen keys, to rate-limiter-flexible', 0.7, 'consume', 'flexible', 'first'],
  ['check by user, to check by address', 1.2, 'check-user', 'check', 'hot'],
  ['check by keyExtractor, to check by address', 1.2, 'check-extractor', 'check', 'hot'],
  ['check by API key, to check by address', 1.5, 'check-api-key', 'check', 'hot'],
  ['check of three policies, to a Union of three', 0.6, 'check-three', 'flexible-union', 'hot'],
  ['consume of three policies, to a Union of three', 0.6, 'consume-three', 'flexible-union', 'hot'],
  ['consume("key") of three policies, to a Union of three', 0.6, 'consume-three', 'flexible-union', 'short'],
  [
    'consume of two policies and a quota, to a Union of three',
    1.15,
    'consume-quota',
    'flexible-union',
    'hot',
  ],
  ['consume, 10 000 keys, to rate-limiter-flexible', 1.6, 'consume', 'flexible', 'live'],
  ['consume, denied, to rate-limiter-flexible', 0.5, 'consume', 'flexible', 'denied'],
  ['check, 100 000 fresh addresses, to rate-limiter-flexible', 0.8, 'check', 'flexible-address', 'fresh'],
  ['check, first-seen addresses, to rate-limiter-flexible', 0.8, 'check', 'flexible-address', 'first'],
]

/** The targets of the limiter's methods. */
export function limiterTargets({ ratio, toBare, nanos, bytes }: LimiterFigures): Target[] {
  return [
    {
      what: 'check, one policy by address, hot, to the bare loop',
      rule: 'most',
      bound: 4,
      measured: toBare('check', 'hot'),
      unit: '×',
    },
    {
      what: 'check, denied, to check, admitted',
      rule: 'most',
      bound: 1.3,
      measured: nanos('check', 'denied') / nanos('check', 'hot'),
      unit: '×',
    },
    ...BOUNDS.map(([what, bound, name, beside, scenario]): Target => ({
      what,
      rule: 'most',
      bound,
      measured: ratio(name, beside, scenario),
      unit: '×',
    })),
    {
      what: 'bytes that a check allocates',
      rule: 'most',
      bound: 500,
      measured: bytes('check'),
      unit: 'bytes',
    },
  ]
}
