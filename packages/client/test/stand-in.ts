import type { Decision, Identity, RateLimiter } from '@halt/core'
import { setTimeout } from 'node:timers/promises'
import type { TurnLimiter } from '../src/limiter.ts'

const until = new Map<string, number>()
export function standIn(limiter: RateLimiter<never>): TurnLimiter {
  const keyOf = (target: Identity) => JSON.stringify(typeof target === 'string' ? { custom: target } : target)
  return {
    warn: limiter.warn,
    release: turn => limiter.release(turn),
    async pause(target, { for: seconds }) {
      const key = keyOf(target)
      until.set(key, Math.max(until.get(key) ?? 0, Date.now() + Number(seconds) * 1000))
    },
    async acquire(target, { cost, maxWait = 30, signal }) {
      const start = Date.now()
      for (;;) {
        signal?.throwIfAborted()
        const held = (until.get(keyOf(target)) ?? 0) - Date.now()
        const decision = held > 0 ? undefined : await limiter.consume(target, cost === undefined ? {} : { cost })
        if (decision?.allowed === true) return decision
        const wait = decision === undefined ? held : decision.retryAfter * 1000
        if (Date.now() - start + wait > Number(maxWait) * 1000)
          return (decision ?? { allowed: false, reason: 'blocked', retryAfter: Math.ceil(held / 1000) }) as Decision
        await setTimeout(wait, undefined, { signal }).catch(() => {})
        signal?.throwIfAborted()
      }
    },
  }
}
