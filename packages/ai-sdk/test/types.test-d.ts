import { type Identity, priceOf, RateLimiter, type RequestView } from '@halt/core'
import type { LanguageModelMiddleware } from 'ai'
import { describe, expectTypeOf, it } from 'vitest'

import { budget, type BudgetOptions, type ModelCall, type ModelUsage } from '../src/index.ts'

declare const limiter: RateLimiter
declare const own: RateLimiter<{ team: string }>
const price = priceOf({ input: 3, cached: 0.3, output: 15 })
const most = 100

describe('the types', () => {
  it('budget makes a middleware of the AI SDK', () => {
    expectTypeOf(
      budget({ limiter, identity: { user: 'a' }, price, most }),
    ).toEqualTypeOf<LanguageModelMiddleware>()
  })

  it('the identity may be a request of the limiter, an identity, or a function of the call', () => {
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

  it('a price gets tokens by class, and gives units or units by policy name', () => {
    budget({ limiter, identity: 'a', price: ({ input, output }) => ({ day: input, month: output }), most })
    expectTypeOf<ModelUsage['cached']>().toEqualTypeOf<number>()
    // @ts-expect-error -- a text is no cost
    budget({ limiter, identity: 'a', price: () => '3', most })
  })

  it('budget needs a limiter, an identity, a price and the most tokens of an answer', () => {
    // @ts-expect-error -- no limiter
    budget({ identity: 'a', price, most })
    // @ts-expect-error -- nobody's budget
    budget({ limiter, price, most })
    // @ts-expect-error -- no price
    budget({ limiter, identity: 'a', most })
    // @ts-expect-error -- how many?
    budget({ limiter, identity: 'a', price })
  })

  it('budget takes estimates, holds and policies of their own, and nothing else', () => {
    const day = { name: 'day', limit: 1000, period: 'daily', status: 402 } as const
    budget({
      limiter: own,
      identity: ({ model }) => ({ team: model.provider }),
      price,
      most,
      input: params => params.prompt.length,
      tokens: text => text.length / 3,
      ahead: 10,
      chunk: { day: 5 },
      ttl: '5m',
      policy: [day, { ...day, name: 'month', period: 'monthly', keyExtractor: ({ team }) => team }],
    })
    budget({ limiter, identity: 'a', price, most, ttl: false, policy: day })
    // @ts-expect-error -- the key is of another request
    budget({ limiter, identity: 'a', price, most, policy: { ...day, keyExtractor: ({ team }) => team } })
    // @ts-expect-error -- units are held, or not
    budget({ limiter, identity: 'a', price, most, ttl: true })
    // @ts-expect-error -- an unknown option
    budget({ limiter, identity: 'a', price, most, maximum: 5 })
  })

  it('a ModelCall names the call that is about to begin', () => {
    expectTypeOf<ModelCall['params']['maxOutputTokens']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<ModelCall['model']['modelId']>().toEqualTypeOf<string>()
  })
})
