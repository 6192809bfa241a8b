import { type Identity, priceOf, RateLimiter, type RequestView } from '@halt/core'
import type { LanguageModelMiddleware } from 'ai'
import { describe, expectTypeOf, it } from 'vitest'

import { budget, type BudgetOptions, type ModelUsage } from '../src/index.ts'

declare const limiter: RateLimiter
declare const own: RateLimiter<{ team: string }>
const price = priceOf({ input: 3, cached: 0.3, output: 15 })
const most = 100

describe('the types', () => {
  it('make a middleware of the AI SDK', () => {
    expectTypeOf(
      budget({ limiter, identity: { user: 'a' }, price, most }),
    ).toEqualTypeOf<LanguageModelMiddleware>()
  })

  it('take a request of the limiter, an identity, or a function of the call', () => {
    budget({ limiter: own, identity: { team: 'a' }, price, most })
    budget({ limiter: own, identity: { user: 'a' }, price, most })
    budget({
      limiter: own,
      identity: ({ params, model }) => ({ team: model.modelId + String(params.seed) }),
      price,
      most,
    })
    budget({ limiter, identity: ({ model }) => ({ user: model.modelId }), price, most })
    expectTypeOf<Exclude<BudgetOptions['identity'], (call: never) => unknown>>().toEqualTypeOf<
      RequestView | Identity
    >()
    // @ts-expect-error -- another request
    budget({ limiter: own, identity: { organisation: 'a' }, price, most })
    // @ts-expect-error -- not an identity
    budget({ limiter, identity: { organisation: 'a' }, price, most })
  })

  it('price tokens by class, and give units or units by policy name', () => {
    budget({ limiter, identity: 'a', price: ({ input, output }) => ({ day: input, month: output }), most })
    expectTypeOf<ModelUsage['cached']>().toEqualTypeOf<number>()
  })
})
