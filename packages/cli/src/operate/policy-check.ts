import type { PolicyNumbers } from '@halt/control'
import { type Policy, HaltError, type Identity } from '@halt/core'

import { commandError } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { type Limits, policiesOf } from '../limits/limits-file.ts'
import { openLimiter } from './client.ts'
import type { OpenControl } from './control.ts'

/**
 * The policies of a name in the limits file, each plan's. None without a file, or where a function chooses the policies. A limiter ignores
 * numbers of a policy that it does not know.
 *
 * @throws HaltError `HALT_E_UNKNOWN_POLICY` if the file has no such policy
 */
export async function policiesNamed(name: string, limits: Limits | undefined): Promise<readonly Policy[]> {
  if (limits === undefined || limits.plans.some(({ settings }) => typeof settings.policy === 'function'))
    return []
  const all = limits.plans.flatMap(({ settings }) => policiesOf(settings))
  const found = all.filter(policy => policy.name === name)
  if (found.length > 0) return found
  const names = [...new Set(all.map(policy => policy.name))]
  return withValues(() => {
    throw new HaltError(
      'HALT_E_UNKNOWN_POLICY',
      `${limits.file} has no policy ${JSON.stringify(name)}.`,
      `Its policies are ${names.join(', ')}.`,
    )
  })
}

/** Refuses numbers that a policy cannot have. A limiter ignores them. @throws HaltError the code of the number that is wrong */
export async function checkNumbers(
  policies: readonly Policy[],
  numbers: PolicyNumbers,
  opened: OpenControl,
): Promise<void> {
  // Plans may have policies of one name. The numbers hold where they fit.
  const failures = policies.flatMap(policy => {
    try {
      openLimiter({ policy: { ...policy, ...numbers } as Policy }, opened)
      return []
    } catch (error) {
      return [error]
    }
  })
  if (failures.length > 0 && failures.length === policies.length)
    await withValues(() => {
      throw failures[0]
    })
}

/**
 * Refuses an act on a policy that does not count requests under an identity.
 *
 * @param isOnly whether it must count nothing else, such as requests of an address that have no user
 * @throws HaltError `HALT_E_COMMAND`
 */
export async function checkReach(
  policies: readonly Policy[],
  whom: string,
  identity: Identity,
  opened: OpenControl,
  isOnly = false,
): Promise<void> {
  const own = opened.limits?.plans[0]?.settings
  const left = await Promise.all(
    policies.map(async policy => {
      const limiter = openLimiter({ ...own, policy }, opened)
      const found = await withValues(() => limiter.explain(identity))
      return isOnly || found.policies.length === 0 ? found.unreachable[0] : undefined
    }),
  )
  const [first] = left
  if (first !== undefined && !left.includes(undefined))
    throw commandError(
      `${first.policy} counts nothing under ${whom}, so this would change nothing.`,
      `It is reached by ${first.reachedBy}.`,
    )
}
