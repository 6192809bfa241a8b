import { describe, expect, it } from 'vitest'

import { CallGuard } from '../../src/guard/call-guard.ts'
import { RateLimit, RateLimitException } from '../../src/index.ts'
import { contextOf, Host, policy, requestOf, responseOf, runtimeOf } from '../contexts.ts'

describe('a handler that Nest’s discovery does not know', () => {
  function unknown(): void {}
  RateLimit('unknown')(Host.prototype, 'unknown', { value: unknown })

  it('is refused with 503 when its decorator is wrong: neither open nor broken', () => {
    const callGuard = new CallGuard(runtimeOf({ warn: () => {} }))
    const refused = (): unknown => callGuard.enter(contextOf('http', [requestOf(), responseOf()], unknown))
    expect(refused).toThrow(RateLimitException)
    expect(refused).toThrow(
      expect.objectContaining({ decision: expect.objectContaining({ reason: 'policy-error' }) }),
    )
  })

  it('is decided by the fallback policy where there is one', () => {
    const callGuard = new CallGuard(runtimeOf({ warn: () => {}, fallbackPolicy: policy }))
    expect(callGuard.enter(contextOf('http', [requestOf(), responseOf()], unknown))).toBe(true)
  })
})
