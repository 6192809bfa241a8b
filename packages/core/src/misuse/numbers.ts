import { describe } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Cost, costFor } from '../policy/cost.ts'

/** Warns of a cost by name that names none of its policies. Each policy then takes its own cost. */
export function noticeCostNames(
  cost: Readonly<Record<string, unknown>>,
  policies: readonly { readonly name: string }[],
  warn: Warn,
): void {
  const names = Object.keys(cost)
  if (names.length === 0 || policies.some(({ name }) => Object.hasOwn(cost, name))) return
  warn({
    code: 'HALT_W_COST_NAMES',
    message: `A cost names ${names.map(name => describe(name)).join(', ')}, but none of its policies. Each policy took its own cost.`,
    fix: `Use the names of the policies: ${policies.map(({ name }) => name).join(', ')}.`,
  })
}

/** Warns of one number as the cost of policies that count different units. */
export function noticeUnits(
  policies: readonly { readonly unit: string | undefined; readonly countsRequests: boolean }[],
  warn: Warn,
): void {
  const units = new Set(policies.flatMap(({ unit, countsRequests }) => (countsRequests ? [] : (unit ?? []))))
  if (units.size < 2) return
  warn({
    code: 'HALT_W_COST_UNITS',
    message: `A call got one number for policies that count different units: ${[...units].join(', ')}.`,
    fix: 'Give the cost by name: { cost: { llm_tokens: …, llm_daily_spend: … } }. llmCost() does so.',
  })
}

/** Warns of a cost by name from a cost function when its names are not all policies. A client may have chosen them. */
export function noticeStrangeNames(
  cost: Readonly<Record<string, unknown>>,
  policies: readonly { readonly name: string }[],
  warn: Warn,
): void {
  const names = Object.keys(cost)
    .slice(0, 3)
    .map(name => describe(name))
    .join(', ')
  warn({
    code: 'HALT_W_COST_NAMES',
    message: `A cost function returned an object that names ${names === '' ? 'nothing' : names}. These are not all policies of the limiter, so the request took costOnError.`,
    fix: `Return a number, or use only the names of policies: ${policies.map(({ name }) => name).join(', ')}.`,
  })
}

/** Warns of a fixed cost that is so high that every request is refused. */
export function noticeHighCost(
  cost: Cost | undefined,
  policies: readonly CompiledPolicy[],
  warn: Warn,
): void {
  for (const policy of policies) {
    const { name, capacity, off } = policy
    const units = costFor(policy, cost)
    if (off || units <= capacity) continue
    return warn({
      code: 'HALT_W_COST_ABOVE_LIMIT',
      message: `Every request costs ${units}, but "${name}" admits only ${capacity} at once, so every request is refused.`,
      fix: 'Give a smaller cost, or give the policy a larger limit or burst.',
    })
  }
}

/** By field: from how many seconds on a number was probably meant as milliseconds. */
const DURATIONS = { window: 10_000, blockDuration: 10_000, ttl: 10_000, duration: 10_000, cooldown: 10_000 }
const TIMEOUTS = { storeTimeout: 10, callbackTimeout: 100 }

/** Warns of a duration of a policy or a penalty that is given in seconds and looks like milliseconds. */
export function noticeMilliseconds(whose: string, fields: object, warn: Warn): void {
  notice(whose, fields, DURATIONS, 1000, warn)
}

/** As {@link noticeMilliseconds} for the timeouts of a limiter. */
export function noticeTimeouts(options: object, warn: Warn): void {
  notice('the limiter', options, TIMEOUTS, 10, warn)
}

function notice(
  whose: string,
  fields: object,
  least: Readonly<Record<string, number>>,
  step: number,
  warn: Warn,
): void {
  for (const [name, from] of Object.entries(least)) {
    const value = (fields as Record<string, unknown>)[name]
    if (typeof value !== 'number' || value < from || value % step !== 0) continue
    warn({
      code: 'HALT_W_WINDOW_MS',
      message: `${name} of ${whose} is ${value} seconds, which looks like milliseconds.`,
      fix: `For milliseconds give "${value}ms". For seconds give "${value}s", which silences this.`,
    })
  }
}

/**
 * Warns of a token bucket without a `burst` for which callers wait for their turn. It is full at first, so nearly twice its limit may
 * start within the first window. Those who come from a queue with an interval, such as p-throttle, expect the limit.
 */
export function noticeFullBucket(policies: readonly CompiledPolicy[], warn: Warn): void {
  for (const { name, algorithm, limit, off, shadow, isBurstGiven, window } of policies) {
    if (algorithm !== 'token-bucket' || isBurstGiven || limit === 1 || off || shadow === 1) continue
    return warn({
      code: 'HALT_W_FULL_BUCKET',
      message: `Callers wait for "${name}", a bucket that is full at first. So ${2 * limit - 1} of them may start within the first ${inWords(window)}, and ${limit} of these at once.`,
      fix: `Write burst: 1 for an even pace, algorithm: "sliding-window" for ${limit} in any ${inWords(window)}, or burst: ${limit} if you mean it.`,
    })
  }
}

/** A length of time in microseconds, in the largest unit that gives a whole number: `1 s`, `90 s`, `500 ms`. */
function inWords(micros: number): string {
  for (const [unit, length] of UNITS) if (micros % length === 0) return `${micros / length} ${unit}`
  return `${micros / 1e3} ms`
}

const UNITS = [
  ['d', 86_400e6],
  ['h', 3600e6],
  ['min', 60e6],
  ['s', 1e6],
] as const
