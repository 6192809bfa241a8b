import { type Policy, HaltError } from '@halt/core'

/** The policies of one plan. */
export interface NamedPolicies {
  readonly name: string
  readonly policies: readonly Policy[]
}

/** Reads the export `plans` of a limits file; none without it. @throws HaltError `HALT_E_POLICY_MODULE` */
export function readPlans(value: unknown, file: string): readonly NamedPolicies[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    throw wrong(`The plans of ${file} are not an object with a list for each plan.`)
  return Object.entries(value).map(([name, policies]) => {
    const list: readonly unknown[] = Array.isArray(policies) ? policies : [policies]
    if (list.length === 0 || list.some(policy => typeof policy !== 'object' || policy === null))
      throw wrong(`The plan "${name}" of ${file} is not a list of policies.`)
    return { name, policies: list as readonly Policy[] }
  })
}

function wrong(message: string): HaltError {
  return new HaltError(
    'HALT_E_POLICY_MODULE',
    message,
    'Write export const plans = { free: [FREE, FREE_MONTH], pro: [PRO, PRO_MONTH] }.',
  )
}
