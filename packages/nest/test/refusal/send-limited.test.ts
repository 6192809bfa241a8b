import { describe, expect, it } from 'vitest'

import { CallGuard } from '../../src/guard/call-guard.ts'
import { sendLimited } from '../../src/index.ts'
import { contextOf, requestOf, responseOf, runtimeOf } from '../contexts.ts'

describe('sendLimited', () => {
  it('sendLimited refuses in the format of the guard in an enhancer', async () => {
    const runtime = runtimeOf({ errorFormat: 'problem', statusCode: 420 })
    const response = responseOf()
    const context = contextOf('http', [requestOf(), response])
    await new CallGuard(runtime).enter(context)
    const decision = {
      allowed: false,
      reason: 'limited',
      retryAfter: 7,
      limit: 1,
      remaining: 0,
      resetAt: 9,
      verdicts: [],
    }
    expect(() => sendLimited(context, decision as never)).toThrow(expect.objectContaining({ status: 420 }))
    expect(response.headers).toMatchObject({
      'retry-after': '7',
      'Content-Type': expect.stringContaining('problem'),
    })
    expect(() => sendLimited(contextOf('rpc', [{}, {}]), decision as never)).toThrow('Too many requests')
  })
})
