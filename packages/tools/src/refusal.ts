import type { Decision, Duration, Policy, Reason } from '@halt/core'
import { parseDuration } from '@halt/core/http'

import { REPEATS } from './repeats.ts'

/** What a model is told of a call that was not run. It names no caller, and holds no key, address or secret. */
export interface ToolRefusal {
  /** Why: the reason of the decision, or `"repeated"` for the same call too often. */
  readonly reason: Reason | 'repeated'
  /** A sentence that a model can act on. */
  readonly message: string
  /** Whole seconds until the same call may pass; null if no wait helps. */
  readonly retryAfter: number | null
  /** The policy that refused. */
  readonly policy: string
}

const FIELDS: readonly (keyof ToolRefusal)[] = ['reason', 'message', 'retryAfter', 'policy']

/** Whether the result of a tool is a refusal of a guard, also after it was JSON. */
export function isToolRefusal(result: unknown): result is ToolRefusal {
  if (typeof result !== 'object' || result === null || Object.keys(result).length !== FIELDS.length)
    return false
  const { reason, message, policy, retryAfter } = result as Partial<Record<keyof ToolRefusal, unknown>>
  const isWait = retryAfter === null || typeof retryAfter === 'number'
  return isWait && [reason, message, policy].every(text => typeof text === 'string')
}

/**
 * The refusal of a call.
 *
 * @param policy the policy that refused, as it was given, for the unit and the window. Undefined if none did
 * @param isOwn whether it is a limit of the tool alone
 */
export function refusalOf(
  decision: Decision,
  tool: string,
  policy: Policy | undefined,
  isOwn: boolean,
): ToolRefusal {
  const reason = decision.policy === REPEATS && decision.reason === 'limited' ? 'repeated' : decision.reason
  const helps = decision.retryAfter > 0 && Number.isFinite(decision.retryAfter)
  const retryAfter = helps ? decision.retryAfter : null
  const message = `${tool} was not run. ${whyOf(reason, decision, policy, isOwn)} ${adviceOf(reason, retryAfter)}`
  return Object.freeze({ reason, message, retryAfter, policy: decision.policy })
}

function whyOf(
  reason: ToolRefusal['reason'],
  { limit, remaining, cost, policy: name }: Decision,
  policy: Policy | undefined,
  isOwn: boolean,
): string {
  const subject = isOwn ? 'This tool' : `The limit "${name}"`
  const verb = isOwn ? 'is limited to' : 'allows'
  const whom = policy?.keyStrategy === 'shared' ? 'all users together' : 'this user'
  const allowance = `${subject} ${verb} ${amount(limit, policy)}${periodOf(policy)} for ${whom}`
  switch (reason) {
    case 'repeated':
      return `It was called ${limit} ${limit === 1 ? 'time' : 'times'} with exactly these arguments. Calling it again will not help.`
    case 'limited':
      if (policy?.algorithm === 'concurrency') return `${allowance}, and all of them are running.`
      return remaining > 0 && cost > 1
        ? `${allowance}. It has ${amount(remaining, policy)} left, and this call needs ${amount(cost, policy)}.`
        : // A limit that is paused has units left.
          `${allowance}, and none is possible now.`
    case 'quota-exceeded':
      return `${allowance}. It has ${amount(Math.max(0, remaining), policy)} left, and this call needs ${amount(cost, policy)}.`
    case 'held':
      return `${allowance}, and calls that are running hold the rest.`
    case 'fair-share':
    case 'reserved':
      return 'The capacity that is left is for others now.'
    case 'blocked':
    case 'penalized':
      return isOwn ? 'This tool is blocked for this user.' : 'This user is blocked.'
    case 'cost-exceeds-limit':
      return `It asks for more than "${name}" can ever allow.`
    case 'missing-key':
      return 'The server cannot tell who calls.'
    default:
      return 'The server cannot decide now.'
  }
}

function adviceOf(reason: ToolRefusal['reason'], retryAfter: number | null): string {
  if (reason === 'repeated')
    return 'Use the result that you have, change the arguments, or tell the user that you are stuck.'
  if (reason === 'cost-exceeds-limit') return 'Ask for less, or tell the user.'
  if (retryAfter === null) return 'Do not call it again. Do something else, or tell the user.'
  return `The next call is possible in ${spanOf(retryAfter)}. Until then do something else, or tell the user.`
}

function amount(units: number, policy: Policy | undefined): string {
  if (policy?.unit === 'usd-micro') return `$${(units / 1e6).toFixed(units % 1e4 === 0 ? 2 : 6)}`
  if (policy?.unit !== undefined) return `${units} ${policy.unit}`
  const isOfCalls = policy?.period === undefined
  return isOfCalls
    ? `${units} ${units === 1 ? 'call' : 'calls'}`
    : `${units} ${units === 1 ? 'unit' : 'units'}`
}

const PERIODS = { hourly: 'hour', daily: 'day', weekly: 'week', monthly: 'month', yearly: 'year' } as const

function periodOf(policy: Policy | undefined): string {
  if (policy === undefined) return ''
  if (policy.period !== undefined) return ` per ${PERIODS[policy.period]}`
  if (policy.algorithm === 'concurrency') return ' at the same time'
  const text = spanOf(parseDuration(policy.window satisfies Duration, 'window') / 1e6, 'exact')
  return text.startsWith('1 ') ? ` per ${text.slice(2)}` : ` in ${text}`
}

const SPANS: readonly [seconds: number, name: string][] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]

/** A time in the largest unit of which it has two, or exactly one: `14 minutes`, `1 hour`. Rounds up, unless it must be exact. */
function spanOf(seconds: number, rounding: 'exact' | 'up' = 'up'): string {
  if (seconds < 1) return `${Math.ceil(seconds * 1000)} milliseconds`
  const fits = (unit: number): boolean => rounding === 'up' || seconds % unit === 0
  const [size, name] = SPANS.find(([unit]) => seconds === unit || (seconds >= 2 * unit && fits(unit))) ?? [
    1,
    'second',
  ]
  const count = Math.ceil(seconds / size)
  return `${count} ${name}${count === 1 ? '' : 's'}`
}
