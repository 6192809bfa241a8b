import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'

// A limit this many times larger than the units that the other policy admits probably counts another unit, such as tokens.
const OTHER_UNITS = 4

/** Warns of a policy that never refuses, because another policy of the limiter always refuses first. */
export function noticeUnreachable(policies: readonly CompiledPolicy[], warn: Warn): void {
  for (const policy of policies) {
    const tighter = policies.find(other => other !== policy && alwaysRefusesFirst(other, policy))
    if (tighter === undefined) continue
    return warn({
      code: 'HALT_W_POLICY_UNREACHABLE',
      message: `The policy "${policy.name}" never refuses, because "${tighter.name}" admits at most ${maxAdmitted(tighter, countingTime(policy))} units while it counts them.`,
      fix: 'Remove one of them, or change its numbers. The limit of a longer window must be below what the shorter window admits in that time.',
    })
  }
}

function alwaysRefusesFirst(tight: CompiledPolicy, loose: CompiledPolicy): boolean {
  if (!isPlain(tight) || !isPlain(loose) || !isSameCount(tight, loose)) return false
  if (loose.window <= tight.window || loose.limit > OTHER_UNITS * maxAdmitted(tight, loose.window))
    return false
  if (loose.algorithm !== 'token-bucket') return maxAdmitted(tight, countingTime(loose)) <= loose.limit
  // The looser bucket never runs empty if the tighter one refills no faster and holds no more.
  return (
    tight.algorithm === 'token-bucket' &&
    tight.limit * loose.window <= loose.limit * tight.window &&
    tight.capacity <= loose.capacity
  )
}

/** The longest time that a unit counts, in microseconds. A sliding window keeps a sub-window until all of it is over. */
function countingTime(policy: CompiledPolicy): number {
  return policy.window + (policy.algorithm === 'sliding-window' ? policy.rule('').slice : 0)
}

/** An upper bound on the units that a policy admits within an interval of microseconds. */
function maxAdmitted({ algorithm, limit, capacity, window }: CompiledPolicy, interval: number): number {
  if (algorithm === 'token-bucket') return capacity + Math.floor((limit * interval) / window)
  const windows = Math.ceil(interval / window)
  // One more window, because a fixed window may have begun before the interval.
  return limit * (algorithm === 'fixed-window' ? windows + 1 : windows)
}

function isPlain({ algorithm, shadow, off, lease }: CompiledPolicy): boolean {
  return algorithm !== 'quota' && algorithm !== 'concurrency' && shadow === 0 && !off && lease === undefined
}

// Policies are compared only if they count the same requests at the same cost. Otherwise each may serve a purpose.
function isSameCount(a: CompiledPolicy, b: CompiledPolicy): boolean {
  return (
    a.cost === b.cost &&
    a.keyStrategy === b.keyStrategy &&
    a.keyExtractor === b.keyExtractor &&
    a.isPerRoute === b.isPerRoute &&
    a.exemptions === undefined &&
    a.exemptPrivateIps === b.exemptPrivateIps
  )
}
