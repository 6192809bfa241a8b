import type { Policy, HaltWarning, RateLimiterOptions } from '@halt/core'
import type { LimiterSettings } from '../limits/limits-file.ts'

/** The limits that a log can decide, and what had to be left out. */
export interface Replayable {
  /** Undefined if nothing is left. */
  readonly policy: RateLimiterOptions['policy'] | undefined
  /** The fixed policies; empty with a function. */
  readonly policies: readonly Policy[]
  /** Sentences that say what was left out. */
  readonly notes: readonly string[]
}

/** Leaves out what a log cannot tell: it has no end of a request, and no route. */
export function replayable({ policy }: LimiterSettings): Replayable {
  if (typeof policy === 'function') return { policy, policies: [], notes: [] }
  const given = (Array.isArray(policy) ? policy : [policy]) as readonly Policy[]
  const notes: string[] = []
  const policies = given.flatMap((each): Policy[] => {
    const { algorithm, inFlight, scope, name } = each as Policy & { inFlight?: number; algorithm?: string }
    if (algorithm === 'concurrency') {
      notes.push(`${name} counts requests in flight. A log does not tell when they ended, so it is left out.`)
      return []
    }
    if (scope === 'route')
      notes.push(
        `${name} counts each route alone. A log has no routes, so all requests share one counter here.`,
      )
    if (inFlight === undefined) return [each]
    notes.push(`${name} is replayed without inFlight, because a log does not tell when requests ended.`)
    return [{ ...each, inFlight: undefined } as Policy]
  })
  // A list of one and the policy itself decide alike.
  return { policy: policies.length > 0 ? policies : undefined, policies, notes }
}

/** A note of a warning that the limiter gave during a replay. */
export function noteOf({ code, message }: HaltWarning): string {
  return `${code}: ${message}`
}
