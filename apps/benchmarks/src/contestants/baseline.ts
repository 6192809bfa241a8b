import type { MemoryContestant } from './contestant.ts'

/** The yardstick: a bare Map with GCRA in one number per key. It is never cleaned, so it is not a usable limiter. */
export const baseline: MemoryContestant<boolean> = {
  name: 'bare Map + GCRA loop',
  answer: 'token bucket',
  isAsync: false,
  open({ limit, windowMs }) {
    const arrivals = new Map<string, number>()
    const interval = windowMs / limit
    return {
      ask(key) {
        const now = Date.now()
        const due = arrivals.get(key)
        const next = (due === undefined || due < now ? now : due) + interval
        if (next - now > windowMs) return false
        arrivals.set(key, next)
        return true
      },
      admits: answer => answer,
    }
  },
}
