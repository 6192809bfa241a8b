import type { PenaltyRule } from '../algorithms/index.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import { describe, HaltError } from '../base/errors.ts'
import { checkNames, namesOf } from '../base/options-check.ts'
import type { Subject } from '../request/identity.ts'
import type { CompiledPolicy } from './compiled-policy.ts'

/** How violations are scored, and which penalty they start. */
export interface PenaltyConfig {
  /** The score, in points, from which a violation starts a penalty. Default 10. */
  readonly threshold?: number | undefined
  /** How long a penalty lasts: seconds, or a decimal with a unit. Default 3600. */
  readonly duration?: Duration | undefined
  /** The share of limits and bursts that a penalty leaves, above 0 and at most 1. Default 0.5. */
  readonly multiplier?: number | undefined
  /** The points that are forgiven per hour. Default 1. */
  readonly decayRate?: number | undefined
  /** How long after a violation further refusals score nothing. Default 60 s; 0 scores every refusal. */
  readonly cooldown?: Duration | undefined
  /** Makes each further penalty `factor` times longer, up to `maxDuration` (default one day). Default: no escalation. */
  readonly escalation?: { readonly factor: number; readonly maxDuration?: Duration | undefined } | undefined
}

/** A limiter's penalty: its configuration, and which refusals it records as violations. */
export interface LimiterPenalty extends PenaltyConfig {
  /**
   * `"limited"`: every enforced refusal is a violation of one point. `"never"`: only `PenaltyManager` records. Default
   * `"limited"`.
   */
  readonly recordOn?: 'limited' | 'never' | undefined
}

const FIELDS = namesOf<LimiterPenalty>({
  threshold: true,
  duration: true,
  multiplier: true,
  decayRate: true,
  cooldown: true,
  escalation: true,
  recordOn: true,
})
const HOUR = 3600e6
/** One point, in the millionths in which stores keep scores. */
export const POINT = 1e6

/** A compiled penalty: the numbers for the store, and the share of a limit that it leaves. */
export interface CompiledPenalty {
  readonly rule: PenaltyRule
  readonly multiplier: number
  /** Whether refusals are recorded as violations. */
  readonly records: boolean
}

/** Validates a penalty's configuration and compiles it to numbers. @throws HaltError `HALT_E_PENALTY` */
export function compilePenalty(config: LimiterPenalty = {}): CompiledPenalty {
  if (typeof config !== 'object' || config === null)
    fail(`The penalty is ${describe(config)}.`, 'Give an object.')
  checkNames(config as Record<string, unknown>, FIELDS, 'The penalty')
  const {
    threshold = 10,
    multiplier = 0.5,
    decayRate = 1,
    duration = 3600,
    cooldown = 60,
    escalation,
    recordOn,
  } = config
  inRange('threshold', threshold, 0.1, 1e6)
  inRange('decayRate', decayRate, 0, 1e6)
  if (!(typeof multiplier === 'number' && multiplier > 0 && multiplier <= 1)) {
    fail(
      `multiplier is ${describe(multiplier)}.`,
      'Give a share above 0 and at most 1. To ban a client, use blockDuration.',
    )
  }
  if (recordOn !== undefined && recordOn !== 'limited' && recordOn !== 'never') {
    fail(`recordOn is ${describe(recordOn)}.`, 'Choose "limited" or "never".')
  }
  const length = parseDuration(duration, 'duration', 'HALT_E_PENALTY')
  if (escalation !== undefined && (typeof escalation !== 'object' || escalation === null)) {
    fail(`escalation is ${describe(escalation)}.`, 'Give { factor, maxDuration }.')
  }
  if (escalation !== undefined) checkNames(escalation, ['factor', 'maxDuration'], 'escalation')
  const factor = escalation?.factor ?? 1
  inRange('escalation.factor', factor, 1, 100)
  const longest = escalation?.maxDuration
  const rule: PenaltyRule = Object.freeze({
    threshold: Math.round(threshold * POINT),
    duration: length,
    decay: (decayRate * POINT) / HOUR,
    severity: POINT,
    cooldown: cooldown === 0 ? 0 : parseDuration(cooldown, 'cooldown', 'HALT_E_PENALTY'),
    factor,
    maxDuration: Math.max(
      length,
      longest === undefined ? DAY : parseDuration(longest, 'maxDuration', 'HALT_E_PENALTY'),
    ),
  })
  return { rule, multiplier, records: recordOn !== 'never' }
}

const DAY = 86_400e6

function inRange(name: string, value: unknown, low: number, high: number): void {
  if (typeof value === 'number' && value >= low && value <= high) return
  fail(`${name} is ${describe(value)}.`, `Give a number from ${low} to ${high}.`)
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_PENALTY', message, fix)
}

/**
 * Whether the penalty of a principal tightens the counter of a subject: the principal's own counter, alone or combined with an
 * address.
 */
export function isTightened({ calendar }: CompiledPolicy, subject: Subject, principal: Subject): boolean {
  if (calendar !== undefined) return false
  return (
    subject === principal || (subject.startsWith(principal) && subject.startsWith('+ip:', principal.length))
  )
}
