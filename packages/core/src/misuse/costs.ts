import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Cost, costFor } from '../policy/cost.ts'
import { describe } from '../base/describe.ts'
import type { Warn } from '../base/warnings.ts'

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
