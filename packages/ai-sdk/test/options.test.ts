import { HaltError, llmBudget, llmCost, priceOf, RateLimiter, usd } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { generateText, wrapLanguageModel } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, it } from 'vitest'

import { budget } from '../src/index.ts'
import { estimateTokens, textOf } from '../src/tokens.ts'
import { answering, day, generated, price, scene, TEAM, usage } from './scene.ts'

const limiter = new RateLimiter({ store: new InMemoryStore(), policy: day })
const good = { limiter, identity: TEAM, price, most: 100 }

describe('the options of budget', () => {
  it.each([
    ['HALT_E_LIMITER', { limiter: {} }],
    ['HALT_E_OPTION', { identity: undefined }],
    ['HALT_E_OPTION', { most: 0 }],
    ['HALT_E_OPTION', { most: 1.5 }],
    ['HALT_E_OPTION', { price: { input: 3, output: 15 } }],
    ['HALT_E_OPTION', { tokens: 4 }],
    ['HALT_E_OPTION', { input: 'hi' }],
    ['HALT_E_UNKNOWN_FIELD', { mosts: 3 }],
    ['HALT_E_USAGE', { price: priceOf({ input: 3 }) }],
    ['HALT_E_COST', { price: () => undefined }],
    ['HALT_E_COST', { price: ({ input, tokens }: { input: number; tokens: number }) => input * tokens }],
    ['HALT_E_COST', { price: () => ({ day: -1 }) }],
    ['HALT_E_COST', { price: async () => 3 }],
  ])('budget throws %s for the options %o', (code, wrong) => {
    let thrown: unknown
    try {
      budget({ ...good, ...wrong } as never)
    } catch (error) {
      thrown = error
    }
    expect((thrown as HaltError).code).toBe(code)
  })

  it('budget prices tokens of the cache as their class, or as input if that has no price', async () => {
    const reported = usage(100, 10, 90)
    const plain = scene()
    await generateText({ model: plain.wrap(answering('hello', reported)), prompt: 'hi' })
    expect(await plain.state()).toEqual([120, 0])
    const cheap = scene({ price: priceOf({ input: 1, cached: 0.1, written: 1.25, output: 2 }) })
    await generateText({ model: cheap.wrap(answering('hello', reported)), prompt: 'hi' })
    expect(await cheap.state()).toEqual([10 + 9 + 20, 0])
  })

  it('the identity may be a function of the call', async () => {
    const { limiter, wrap } = scene({
      identity: ({ params, model }) => ({
        user: `${JSON.stringify(params.providerOptions)} ${model.modelId}`,
      }),
    })
    const model = wrap(answering('hello', usage(12, 30)))
    await generateText({ model, prompt: 'hi', providerOptions: { team: { id: 'red' } } })
    expect((await limiter.peek({ user: '{"team":{"id":"red"}} mock-model-id' })).remaining).toBe(1000 - 72)
  })

  it('the identity may be a request of the limiter, so that a call charges a team and a user', async () => {
    interface Caller {
      readonly team: string
      readonly id: string
    }
    const store = new InMemoryStore()
    const team = { ...day, name: 'team', keyExtractor: (caller: Caller) => caller.team }
    const own = { ...day, name: 'own', keyExtractor: (caller: Caller) => caller.id }
    const limiter = new RateLimiter<Caller>({ store, policy: [team, own], exemptPrivateIps: false })
    for (const id of ['ann', 'ben']) {
      const middleware = budget({ limiter, identity: { team: 'red', id }, price, most: 100 })
      await generateText({
        model: wrapLanguageModel({ model: answering('hello', usage(12, 30)), middleware }),
        prompt: 'hi',
      })
    }
    const { verdicts } = await limiter.peek({ team: 'red', id: 'ann' })
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([1000 - 144, 1000 - 72])
  })

  it('the price may be costs by policy name, for budgets of tokens and of money in one call', async () => {
    const store = new InMemoryStore({ clock: new ManualClock().now })
    const policy = llmBudget({ rpm: 5, itpm: 1000, otpm: 1000, spend: { daily: usd(1) } })
    const limiter = new RateLimiter({ store, policy })
    const middleware = budget({
      limiter,
      identity: TEAM,
      price: ({ input, output }) => llmCost({ input, output, spend: price({ input, output }) }),
      most: 100,
    })
    const model = wrapLanguageModel({ model: answering('hello', usage(12, 30)), middleware })
    await generateText({ model, prompt: 'hi' })
    const { verdicts } = await limiter.peek(TEAM)
    expect(verdicts.map(({ policy: name, remaining }) => [name, remaining])).toEqual([
      ['llm_requests', 4],
      ['llm_input_tokens', 1000 - 12],
      ['llm_output_tokens', 1000 - 30],
      ['llm_daily_spend', 1e6 - 72],
    ])
  })

  it('budget counts under a limiter without a quota, which holds nothing', async () => {
    const policy = { name: 'minute', limit: 1000, window: '1h' } as const
    const { wrap, limiter } = scene(
      {},
      { policy, store: new InMemoryStore({ clock: new ManualClock().now }) },
    )
    await generateText({ model: wrap(answering('hello', usage(12, 30))), prompt: 'hi' })
    expect((await limiter.peek(TEAM)).remaining).toBe(1000 - 72)
  })

  it('budget charges the estimate at once with ttl: false', async () => {
    const { wrap, state } = scene({ ttl: false })
    let during: unknown
    const model = new MockLanguageModelV3({
      async doGenerate() {
        during = await state()
        return generated('hello', usage(12, 30))
      },
    })
    await generateText({ model: wrap(model), prompt: 'hi' })
    expect([during, await state()]).toEqual([
      [210, 0],
      [72, 0],
    ])
  })
})

describe('the estimate of the input', () => {
  it('the estimate counts a token for four bytes, so that scripts of several bytes a letter count more', () => {
    expect([estimateTokens('abcdefgh'), estimateTokens('日本語の'), estimateTokens('')]).toEqual([2, 3, 0])
  })

  it('the estimate counts prompt, tools and results, and not the bytes of files', () => {
    const data = 'x'.repeat(10_000)
    const text = textOf({
      prompt: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'file', mediaType: 'image/png', data },
            { type: 'file', mediaType: 'image/png', data: new Uint8Array(10_000) },
          ],
        },
        {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              toolCallId: '1',
              toolName: 'shoot',
              output: { type: 'content', value: [{ type: 'image-data', mediaType: 'image/png', data }] },
            },
            {
              type: 'tool-result',
              toolCallId: '2',
              toolName: 'look',
              output: { type: 'json', value: { data: 'a result' } },
            },
          ],
        },
      ],
      tools: [{ type: 'function', name: 'look', inputSchema: { type: 'object' } }],
    })
    expect(text.length).toBeLessThan(1000)
    for (const part of ['Be brief.', 'What is this?', 'a result', '"look"']) expect(text).toContain(part)
  })
})
