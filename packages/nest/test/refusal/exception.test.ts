import { describe, expect, it } from 'vitest'

import { CallGuard } from '../../src/guard/call-guard.ts'
import { contextOf, runtimeOf } from '../contexts.ts'

describe('RateLimitException', () => {
  it('RateLimitException has the status code of gRPC over gRPC', async () => {
    const callGuard = new CallGuard(runtimeOf())
    const call = { getPeer: () => 'ipv4:203.0.113.7:4711' }
    await callGuard.enter(contextOf('rpc', [{}, {}, call]))
    const refused = (): unknown => callGuard.enter(contextOf('rpc', [{}, {}, call]))
    expect(refused).toThrow('Too many requests')
    try {
      refused()
    } catch (error) {
      expect((error as { getError(): object }).getError()).toMatchObject({
        code: 8,
        error: 'rate_limit_exceeded',
      })
    }
  })
})
