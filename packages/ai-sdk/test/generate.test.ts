import { isLimited, priceOf, type Quota } from '@halt/core'
import { generateText, stepCountIs, tool, type ToolSet } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { answering, day, generated, type Generated, price, scene, usage } from './scene.ts'

describe('generateText with a budget', () => {
  it('a call pays for the input, holds the rest while the model runs, and settles by what the model reports', async () => {
    const { wrap, state } = scene({ chunk: 1 })
    let during: unknown
    const model = new MockLanguageModelV3({
      async doGenerate() {
        during = await state()
        return generated('hello', usage(12, 30))
      },
    })
    const { text } = await generateText({ model: wrap(model), prompt: 'hi' })
    expect(text).toBe('hello')
    expect(during).toEqual([10, 200])
    expect(await state()).toEqual([72, 0])
  })

  it('budget tells the model the most tokens of an answer, and a call may ask for fewer', async () => {
    const { wrap } = scene()
    const model = answering('hello', usage(12, 30))
    await generateText({ model: wrap(model), prompt: 'hi' })
    await generateText({ model: wrap(model), prompt: 'hi', maxOutputTokens: 20 })
    await generateText({ model: wrap(model), prompt: 'hi', maxOutputTokens: 9999 })
    expect(model.doGenerateCalls.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([100, 20, 100])
  })

  it('budget refuses a call that a budget has no room for, says which, and does not ask the model', async () => {
    const month: Quota = { ...day, name: 'month', limit: 200, period: 'monthly' }
    const { wrap, state } = scene({}, { policy: [day, month] })
    const model = answering('hello', usage(12, 30))
    const error: unknown = await generateText({ model: wrap(model), prompt: 'hi' }).catch((e: unknown) => e)
    expect(isLimited(error) && [error.name, error.decision.policy, error.decision.reason]).toEqual([
      'LimitedError',
      'month',
      'cost-exceeds-limit',
    ])
    expect(model.doGenerateCalls).toEqual([])
    expect(await state()).toEqual([0, 0])
  })

  it('a call gives everything back when the model fails, and throws what the model threw', async () => {
    const { wrap, state } = scene()
    const failure = new Error('overloaded')
    const model = new MockLanguageModelV3({ doGenerate: () => Promise.reject(failure) })
    await expect(generateText({ model: wrap(model), prompt: 'hi', maxRetries: 0 })).rejects.toBe(failure)
    expect(await state()).toEqual([0, 0])
  })

  it('a call costs its input when the caller aborts after the model was asked', async () => {
    const { wrap, state } = scene()
    const caller = new AbortController()
    const model = new MockLanguageModelV3({
      doGenerate: ({ abortSignal }) =>
        new Promise((_, reject) => {
          abortSignal?.addEventListener('abort', () => reject(abortSignal.reason as Error))
          caller.abort(new Error('gone'))
        }),
    })
    const call = generateText({ model: wrap(model), prompt: 'hi', abortSignal: caller.signal })
    await expect(call).rejects.toThrow('gone')
    expect(await state()).toEqual([10, 0])
  })

  it('budget reserves nothing for a caller that has left before', async () => {
    const { wrap, state } = scene()
    const model = answering('hello', usage(12, 30))
    const call = generateText({ model: wrap(model), prompt: 'hi', abortSignal: AbortSignal.abort() })
    await expect(call).rejects.toThrow('aborted')
    expect([model.doGenerateCalls, await state()]).toEqual([[], [0, 0]])
  })

  it.each([
    ['no usage', usage()],
    ['nothing about a usage', undefined as never],
    ['an output of no tokens for a text', usage(12, 0)],
    ['tokens that are no number', usage(Number.NaN, 30)],
  ])('budget keeps the estimate charged and warns if a model reports %s', async (_, reported) => {
    const { wrap, state, warnings } = scene()
    await generateText({ model: wrap(answering('hello', reported)), prompt: 'hi' })
    await generateText({ model: wrap(answering('hello', reported)), prompt: 'hi' })
    expect(await state()).toEqual([420, 0])
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_USAGE'])
    expect(warnings[0]?.message).toContain('mock-provider/mock-model-id')
  })

  it.each([
    ['v3', usage(100, 30, 60), 100 - 60 + 6 + 2 * 30],
    [
      'v3, with the parts alone',
      { inputTokens: { noCache: 40, cacheRead: 60 }, outputTokens: { text: 20, reasoning: 10 } },
      106,
    ],
    ['v2', { inputTokens: 100, outputTokens: 30, totalTokens: 130, cachedInputTokens: 60 }, 106],
    [
      'v2, with the cache beside the input',
      { inputTokens: 40, outputTokens: 30, cachedInputTokens: 60 },
      106,
    ],
    [
      'v2, with null for what is not known',
      { inputTokens: 40, outputTokens: 30, cachedInputTokens: null },
      100,
    ],
  ])('budget prices the usage of a model of the specification %s', async (_, reported, units) => {
    const { wrap, state, warnings } = scene({ price: priceOf({ input: 1, cached: 0.1, output: 2 }) })
    await wrap(answering('hello', reported as never)).doGenerate({ prompt: [] })
    expect([await state(), warnings]).toEqual([[units, 0], []])
  })

  it('budget keeps the estimate charged and warns if the price fails for the used tokens', async () => {
    const failing = (tokens: { input: number; output: number }): number => {
      if (tokens.output === 30) throw new Error('no tier')
      return price(tokens)
    }
    const { wrap, state, warnings } = scene({ price: failing })
    await generateText({ model: wrap(answering('hello', usage(12, 30))), prompt: 'hi' })
    expect(await state()).toEqual([210, 0])
    expect(warnings[0]?.message).toContain('no tier')
  })

  it.each([Number.NaN, -1, undefined, { day: Number.NaN }])(
    'budget keeps the estimate charged and warns if the price of the used tokens is %o',
    async wrong => {
      const failing = (tokens: { input: number; output: number }): number =>
        tokens.output === 30 ? (wrong as number) : price(tokens)
      const { wrap, state, warnings } = scene({ price: failing })
      await generateText({ model: wrap(answering('hello', usage(12, 30))), prompt: 'hi' })
      expect(await state()).toEqual([210, 0])
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_USAGE'])
    },
  )

  it('each step of an agent is reserved and settled by itself, until the budget is gone', async () => {
    const held: unknown[] = []
    const { wrap, state } = scene({ chunk: 1 }, { policy: { ...day, limit: 500 } })
    const model = new MockLanguageModelV3({
      async doGenerate(): Promise<Generated> {
        held.push(await state())
        const toolCall = {
          type: 'tool-call',
          toolCallId: `${held.length}`,
          toolName: 'look',
          input: '{}',
        } as const
        return {
          ...generated('', usage(10, 70)),
          content: [toolCall],
          finishReason: { unified: 'tool-calls', raw: undefined },
        }
      },
    })
    const tools: ToolSet = { look: tool({ inputSchema: z.object({}), execute: () => 'seen' }) }
    const agent = generateText({ model: wrap(model), tools, prompt: 'hi', stopWhen: stepCountIs(9) })
    const error: unknown = await agent.catch((e: unknown) => e)
    expect(held).toEqual([
      [10, 200],
      [160, 200],
    ])
    expect(isLimited(error) && error.decision.policy).toBe('day')
    expect(await state()).toEqual([300, 0])
  })
})
