import type { HaltError, Identity, Unreached } from '@halt/core'

import { isQuota } from '../desk/managers.ts'
import type { AnyLimiter, LimiterEntry } from '../options.ts'
import type { Acting } from './act.ts'

/** Resets the counters of a client in all limiters. Resolves to how many there were. */
export async function reset(acting: Acting): Promise<number> {
  const { limiters, call } = acting
  const identity = acting.identity()
  let count = 0
  let failure: unknown
  let isDone = false
  for (const entry of limiters.filter(one => hasPolicy(one, call.policy))) {
    for (const policy of policiesToReset(entry, call.policy)) {
      try {
        count += await resetIn(entry.limiter, identity, policy)
        isDone = true
      } catch (error) {
        // Another limiter may count the client. A store that is away fails the act.
        if ((error as Partial<HaltError>).code?.startsWith('HALT_E_STORE') === true) throw error
        failure = error
      }
    }
  }
  if (!isDone && failure !== undefined) throw failure
  return count
}

function hasPolicy({ policies }: LimiterEntry, name: string | undefined): boolean {
  return name === undefined || policies.some(policy => policy.name === name)
}

/** The policies of a limiter, each reset alone where a function chooses among them. `undefined` stands for all of the limiter. */
function policiesToReset(
  { policies, chooses }: LimiterEntry,
  name: string | undefined,
): readonly (LimiterEntry['policies'][number] | undefined)[] {
  const named = policies.filter(policy => (name === undefined || policy.name === name) && !isQuota(policy))
  return name === undefined && !chooses ? [undefined] : named
}

function resetIn(
  limiter: AnyLimiter,
  identity: Identity,
  policy: LimiterEntry['policies'][number] | undefined,
): Promise<number> {
  return limiter.reset(identity, policy === undefined ? {} : { policy })
}

/** The counters that a reset of the client leaves, in a sentence; undefined if it reaches all of them. */
export async function leftByReset(acting: Acting): Promise<string | undefined> {
  const identity = acting.identity()
  const name = acting.call.policy
  const asked = acting.limiters
    .filter(entry => hasPolicy(entry, name))
    .flatMap(entry => policiesToReset(entry, name).map(policy => unreachedIn(entry, identity, policy)))
  const all = (await Promise.all(asked)).flat()
  const left = new Set(all.map(({ policy, reachedBy }) => `${policy} (reached by ${reachedBy})`))
  if (left.size === 0) return undefined
  return `The reset does not reach ${Array.from(left).join(', ')}, which may still refuse the client.`
}

async function unreachedIn(
  { limiter, policies }: LimiterEntry,
  identity: Identity,
  policy: LimiterEntry['policies'][number] | undefined,
): Promise<readonly Unreached[]> {
  try {
    const { unreachable } = await limiter.explain(identity, policy === undefined ? {} : { policy })
    const quotas = new Set(policies.filter(isQuota).map(quota => quota.name))
    return unreachable.filter(each => !quotas.has(each.policy))
  } catch {
    // The reset itself tells what is wrong with the identity.
    return []
  }
}
