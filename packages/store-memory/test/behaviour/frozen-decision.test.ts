import { type Decision, RateLimiter } from '@halt/core'
import { guard, refusalFor } from '@halt/core/http'
import { describe, expect, it } from 'vitest'

import { InMemoryStore } from '../../src/index.ts'

const limiter = (limit = 5): RateLimiter =>
  new RateLimiter({
    store: new InMemoryStore(),
    policy: { name: 'api', limit, window: 60 },
    exemptPrivateIps: false,
  })
const view = { method: 'GET', path: '/', ip: '203.0.113.9', headers: {}, request: undefined }

// One bucket in a store of this process is charged without a check, and such a decision is not frozen when it is made.
describe('nobody gets a decision that is not frozen', () => {
  it('every decision of a limiter is frozen', async () => {
    const api = limiter()
    const decisions = [
      await api.check(view),
      await api.consume({ user: '42' }),
      await api.checkView(view),
      await api.peek(view),
      (await api.reserve(view)).decision,
    ]
    expect(decisions.map(Object.isFrozen)).toEqual(decisions.map(() => true))
  })

  it('every decision of a guard is frozen, admitted or refused', async () => {
    const { enter } = guard(limiter(1))
    const outcomes = [await enter(view, {}), await enter(view, {})]
    expect(outcomes.map(({ pass }) => pass)).toEqual([true, false])
    expect(outcomes.map(({ decision }) => Object.isFrozen(decision))).toEqual([true, true])
    expect(Object.isFrozen(refusalFor({}, outcomes[1]?.decision as Decision).decision)).toBe(true)
  })

  it('a decision that a guard gives to a function for headers is frozen', async () => {
    const seen: boolean[] = []
    const headers = (decision: Decision): Record<string, string> => {
      seen.push(Object.isFrozen(decision))
      return {}
    }
    const outcome = await guard(limiter(), { headers }).enter(view, {})
    expect(outcome.headers).toEqual({})
    expect(seen).toEqual([true])
  })
})
