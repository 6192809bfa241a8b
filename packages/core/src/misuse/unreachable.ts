import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'

// A limit so many times as large as the other lets in counts something else: tokens beside requests, by cost.
const OTHER_UNITS = 4

/** Warns of a policy that never refuses, because another one of the limiter always refuses before it. */
export function noticeUnreachable(policies: readonly CompiledPolicy[], warn: Warn): void {
  for (const policy of policies) {
    const tighter = policies.find(other => other !== policy && alwaysRefusesFirst(other, policy))
    if (tighter === undefined) continue
    return warn({
      code: 'HALT_W_POLICY_UNREACHABLE',
      message: `The policy "${policy.name}" never refuses: "${tighter.name}" lets in at most ${mostOf(tighter, spanOf(policy))} units while it counts them.`,
      fix: 'Leave one out, or change its numbers: a limit for a longer window is less than the shorter one allows in that time.',
    })
  }
}

function alwaysRefusesFirst(tight: CompiledPolicy, loose: CompiledPolicy): boolean {
  if (!isPlain(tight) || !isPlain(loose) || !isSameCount(tight, loose)) return false
  if (loose.window <= tight.window || loose.limit > OTHER_UNITS * mostOf(tight, loose.window)) return false
  if (loose.algorithm !== 'token-bucket') return mostOf(tight, spanOf(loose)) <= loose.limit
  // A bucket is never empty when nothing can be taken faster than it refills, in larger bursts than it holds.
  return (
    tight.algorithm === 'token-bucket' &&
    tight.limit * loose.window <= loose.limit * tight.window &&
    tight.capacity <= loose.capacity
  )
}

/** How long a unit counts at most: a sliding window keeps its oldest part until all of that has left. */
function spanOf(policy: CompiledPolicy): number {
  return policy.window + (policy.algorithm === 'sliding-window' ? policy.rule('').slice : 0)
}

/** The most units a policy lets in within an interval, microseconds; no less than that. */
function mostOf({ algorithm, limit, capacity, window }: CompiledPolicy, interval: number): number {
  if (algorithm === 'token-bucket') return capacity + Math.floor((limit * interval) / window)
  const windows = Math.ceil(interval / window)
  // A fixed window that began before the interval, and the rest of it.
  return limit * (algorithm === 'fixed-window' ? windows + 1 : windows)
}

function isPlain({ algorithm, shadow, off, lease }: CompiledPolicy): boolean {
  return algorithm !== 'quota' && algorithm !== 'concurrency' && shadow === 0 && !off && lease === undefined
}

// What only one of the two counts (an exempt path, a request that it costs more) may be what the other is for.
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
