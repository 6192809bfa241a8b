import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Cost, costFor } from '../policy/cost.ts'
import { describe } from '../base/describe.ts'
import type { Warn } from '../base/warnings.ts'

/** Warns of a cost by policy name that names none of the policies it is for: each then takes its own. */
export function noticeCostNames(
  cost: Readonly<Record<string, unknown>>,
  policies: readonly { readonly name: string }[],
  warn: Warn,
): void {
  const names = Object.keys(cost)
  if (names.length === 0 || policies.some(({ name }) => Object.hasOwn(cost, name))) return
  warn({
    code: 'HALT_W_COST_NAMES',
    message: `A cost names ${names.map(name => describe(name)).join(', ')}, and none of the policies it is for: they took their own cost.`,
    fix: `Name them: ${policies.map(({ name }) => name).join(', ')}.`,
  })
}

/** Warns of a cost by name from a cost function that does not name policies alone: a client may have written it. */
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
    message: `A cost function gave an object that names ${names === '' ? 'nothing' : names}, and these are not all policies of the limiter: the request took costOnError.`,
    fix: `Return a number, or name only policies: ${policies.map(({ name }) => name).join(', ')}.`,
  })
}

/** Warns of a cost that is the same for all requests, and lets none of them in. */
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
      message: `A cost of ${units} is fixed for all requests, and "${name}" admits ${capacity} at once: every one is refused.`,
      fix: 'Give a smaller cost, or the policy a larger limit or burst.',
    })
  }
}
