import { describe, expect, it } from 'vitest'

import { CallGuard } from '../../src/guard/call-guard.ts'
import { RateLimit, RateLimitException } from '../../src/index.ts'
import { contextOf, Host, policy, requestOf, responseOf, runtimeOf } from '../contexts.ts'

describe('a handler unknown to Nest’s discovery', () => {
  function unknown(): void {}
  RateLimit('unknown')(Host.prototype, 'unknown', { value: unknown })

  it('a handler unknown to the discovery of Nest is refused if its decorator is wrong', () => {
    const callGuard = new CallGuard(runtimeOf({ warn: () => {} }))
    const refused = (): unknown => callGuard.enter(contextOf('http', [requestOf(), responseOf()], unknown))
    expect(refused).toThrow(RateLimitException)
    expect(refused).toThrow(
      expect.objectContaining({ decision: expect.objectContaining({ reason: 'policy-error' }) }),
    )
  })

  it('the fallback policy decides for a handler unknown to the discovery of Nest', () => {
    const callGuard = new CallGuard(runtimeOf({ warn: () => {}, fallbackPolicy: policy }))
    expect(callGuard.enter(contextOf('http', [requestOf(), responseOf()], unknown))).toBe(true)
  })
})
