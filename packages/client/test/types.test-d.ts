import type { RateLimiter } from '@halt/core'
import { Agent } from 'undici'
import { describe, expectTypeOf, it } from 'vitest'

import { limitedDispatch, limitedFetch, parseRateLimit } from '../src/index.ts'

declare const limiter: RateLimiter<{ own: 'request' }>

describe('the types', () => {
  it('limitedFetch has the type of fetch', () => {
    expectTypeOf(limitedFetch({ limiter })).toEqualTypeOf<typeof fetch>()
    limitedFetch({
      limiter,
      key: ({ url, method, headers }) => ({ custom: url + method + headers.get('a') }),
    })
    limitedFetch({ limiter, cost: { tokens: 3 }, maxWait: '1m', learn: 'refusals', retry: false })
    // @ts-expect-error -- not a limiter
    limitedFetch({ limiter: {} })
  })

  it('limitedDispatch composes with an Agent of undici', () => {
    new Agent().compose(limitedDispatch({ limiter }))
  })

  it('parseRateLimit takes answers of many clients', () => {
    expectTypeOf(parseRateLimit(new Response()).retryAfter).toEqualTypeOf<number>()
    parseRateLimit({ headers: { 'retry-after': '3' } })
    parseRateLimit(new Headers())
    parseRateLimit({ 'retry-after': ['3'] })
  })
})
