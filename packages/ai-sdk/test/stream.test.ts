import { isLimited, type Quota } from '@halt/core'
import { stepCountIs, streamText, tool } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { day, parts, read, scene, streaming, usage } from './scene.ts'

const params = { prompt: [] }

describe('streamText with a budget', () => {
  it('a stream pays for each part before it passes it on, with the first one for the input, and settles at the end', async () => {
    const { wrap, state } = scene({ chunk: 1 })
    const { model } = streaming(parts(['hello', ' you', '!'], usage(12, 30)))
    const seen: unknown[] = []
    const { textStream } = streamText({ model: wrap(model), prompt: 'hi' })
    for await (const text of textStream) seen.push([text, ...(await state())])
    expect(seen).toEqual([
      ['hello', 20, 190],
      [' you', 28, 182],
      ['!', 30, 180],
    ])
    expect(await state()).toEqual([72, 0])
  })

  it('a stream whose budget is gone ends, and says which budget', async () => {
    const month: Quota = { ...day, name: 'month', limit: 250, period: 'monthly' }
    const { wrap, limiter, state } = scene({ chunk: 1 }, { policy: [day, month] })
    const { model, seen } = streaming(
      parts(
        Array.from({ length: 200 }, () => 'ten tokens'),
        usage(12, 2000),
      ),
    )
    const errors: unknown[] = []
    const {
      textStream,
      finishReason,
      usage: used,
    } = streamText({
      model: wrap(model),
      prompt: 'hi',
      maxRetries: 0,
      onError: ({ error }) => void errors.push(error),
    })
    let text = ''
    for await (const more of textStream) {
      text += more
      // Others use what is left, beside what is held.
      if (text.length === 10) await limiter.consume({ user: 'team' }, { cost: 40 })
    }
    expect(text).toHaveLength(100)
    expect(await finishReason).toBe('error')
    expect(await used).toMatchObject({ inputTokens: 10, outputTokens: 110 })
    const [error] = errors
    expect(errors).toHaveLength(1)
    expect(isLimited(error) && [error.decision.policy, error.decision.reason]).toEqual([
      'month',
      'quota-exceeded',
    ])
    expect([seen.signal?.aborted, seen.isCancelled]).toEqual([true, true])
    // 40 of others, 10 of the input and 200 of the output: not a unit more than the limit.
    expect([await state(month), await state()]).toEqual([
      [250, 0],
      [250, 0],
    ])
  })

  it('a stream pays for some tokens before the model makes them, but not for more than it reserved', async () => {
    const { wrap, state } = scene({ chunk: 1, ahead: 6, most: 15 })
    const { model } = streaming(parts(['hello', 'hello', 'again'], usage()).slice(0, 5), true)
    const { stream } = await wrap(model).doStream(params)
    const seen = [await state()]
    const reader = stream.getReader()
    for (let i = 0; i < 5; i++) {
      await reader.read()
      if (i > 1) seen.push(await state())
    }
    expect(seen).toEqual([
      [10 + 12, 18],
      [10 + 22, 8],
      [10 + 30, 0],
      [10 + 30, 0],
    ])
    await reader.cancel()
    expect(await state()).toEqual([10 + 30, 0])
  })

  it('a stream pays parts whose price is a fraction of a unit by their sum', async () => {
    const cheap = ({ input, output }: { input: number; output: number }) => input * 0.3 + output * 0.1
    const { wrap, state } = scene({ chunk: 1, price: cheap, most: 10 }, { policy: { ...day, limit: 14 } })
    const { model } = streaming(
      parts(
        Array.from({ length: 100 }, () => 'a'),
        usage(),
      ),
    )
    const { parts: all } = await read((await wrap(model).doStream(params)).stream)
    expect([all.filter(({ type }) => type === 'text-delta').length, await state()]).toEqual([100, [13, 0]])
  })

  it('a stream keeps what was paid ahead if a budget is gone, because the model may have made more', async () => {
    const { wrap, state } = scene({ chunk: 1, ahead: 20, most: 10 }, { policy: { ...day, limit: 90 } })
    const { model } = streaming(
      parts(['five', 'ten tokens', 'ten tokens', 'ten tokens', 'ten tokens'], usage()),
    )
    const { parts: all } = await read((await wrap(model).doStream(params)).stream)
    const made = all.filter(({ type }) => type === 'text-delta').length
    expect([made, await state()]).toEqual([4, [10 + 2 * 34, 0]])
  })

  it('a stream ends its open blocks when a budget is gone', async () => {
    const { wrap } = scene({ chunk: 1, most: 10 }, { policy: { ...day, limit: 30 } })
    const { model } = streaming([
      { type: 'reasoning-start', id: 'r' },
      { type: 'reasoning-delta', id: 'r', delta: 'because' },
      { type: 'reasoning-end', id: 'r' },
      { type: 'text-start', id: 't' },
      { type: 'text-delta', id: 't', delta: 'ten tokens' },
    ])
    const { stream } = await wrap(model).doStream(params)
    const types = (await read(stream)).parts.map(({ type }) => type)
    expect(types.slice(-4)).toEqual(['text-start', 'text-end', 'error', 'finish'])
  })

  it('a stream is settled by the usage also where the model was cheaper than the paid amount', async () => {
    const { wrap, state } = scene()
    const { model, seen } = streaming(parts(['hello', ' you'], usage(3, 2)))
    await streamText({ model: wrap(model), prompt: 'hi' }).consumeStream()
    // A model that has ended is not aborted.
    expect([await state(), seen.signal?.aborted]).toEqual([[7, 0], false])
  })

  it('a stream charges what it passed on, and warns, if the model reports no usage', async () => {
    const { wrap, state, warnings } = scene()
    const { model } = streaming(parts(['hello', ' you'], usage()))
    await streamText({ model: wrap(model), prompt: 'hi' }).consumeStream()
    expect(await state()).toEqual([28, 0])
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_USAGE'])
  })

  it('a stream whose last part has no usage charges what it passed on, and ends without an error', async () => {
    const { wrap, state, warnings } = scene()
    const { model } = streaming(parts(['hello'], undefined as never))
    const answer = streamText({ model: wrap(model), prompt: 'hi' })
    expect([await answer.text, await state()]).toEqual(['hello', [20, 0]])
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_USAGE'])
  })

  it('a stream of a model of the specification v2 is settled by its usage', async () => {
    const { wrap, state, warnings } = scene()
    const { model } = streaming(parts(['hello'], { inputTokens: 12, outputTokens: 30 } as never))
    await read((await wrap(model).doStream(params)).stream)
    expect([await state(), warnings]).toEqual([[72, 0], []])
  })

  it('a stream without a text is settled by the usage', async () => {
    const { wrap, state, warnings } = scene()
    const { model } = streaming(parts([], usage(12, 0)))
    await read((await wrap(model).doStream(params)).stream)
    expect([await state(), warnings]).toEqual([[12, 0], []])
  })

  it('a stream pays for the input of tools once, streamed or not', async () => {
    const { wrap, state } = scene()
    const finishReason = { unified: 'tool-calls', raw: undefined } as const
    const { model } = streaming([
      { type: 'tool-input-start', id: 'a', toolName: 'look' },
      { type: 'tool-input-delta', id: 'a', delta: '{"of":' },
      { type: 'tool-input-delta', id: 'a', delta: '"a"}' },
      { type: 'tool-input-end', id: 'a' },
      { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: '{"of":"a"}' },
      { type: 'tool-call', toolCallId: 'b', toolName: 'look', input: '{"of":"b"}' },
      { type: 'finish', finishReason, usage: usage() },
    ])
    await read((await wrap(model).doStream(params)).stream)
    expect(await state()).toEqual([10 + 2 * 20, 0])
  })

  it('each step of an agent that streams is reserved and settled by itself', async () => {
    const { wrap, state } = scene({ chunk: 1 })
    const before: unknown[] = []
    const call = [
      { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: '{}' } as const,
      {
        type: 'finish',
        finishReason: { unified: 'tool-calls', raw: undefined },
        usage: usage(10, 5),
      } as const,
    ]
    const steps = [streaming(call), streaming(parts(['done'], usage(20, 4)))]
    const model = new MockLanguageModelV3({
      async doStream(options) {
        before.push(await state())
        return steps.shift()!.model.doStream(options)
      },
    })
    const tools = { look: tool({ inputSchema: z.object({}), execute: () => 'seen' }) }
    const answer = streamText({ model: wrap(model), tools, prompt: 'hi', stopWhen: stepCountIs(5) })
    expect(await answer.text).toBe('done')
    expect(before).toEqual([
      [10, 200],
      [30, 200],
    ])
    expect(await state()).toEqual([48, 0])
  })
})

describe('a stream that is cut', () => {
  it('a stream costs its input if the caller leaves after the model was asked and before the first token', async () => {
    const { wrap, state } = scene({ chunk: 1 })
    const caller = new AbortController()
    const { model, seen } = streaming(parts([], usage()).slice(0, 2), true)
    const { stream } = await wrap(model).doStream({ ...params, abortSignal: caller.signal })
    const reader = stream.getReader()
    await reader.read()
    expect(await state()).toEqual([10, 200])
    const gone = new Error('gone')
    caller.abort(gone)
    await expect(reader.read().then(() => reader.read())).rejects.toBe(gone)
    expect([await state(), seen.signal?.aborted]).toEqual([[10, 0], true])
  })

  it('a caller that leaves while the stream is asked for pays its input', async () => {
    const { wrap, state } = scene()
    const caller = new AbortController()
    const model = new MockLanguageModelV3({
      doStream: ({ abortSignal }) =>
        new Promise((_, reject) => {
          abortSignal?.addEventListener('abort', () => reject(abortSignal.reason as Error))
          caller.abort(new Error('gone'))
        }),
    })
    await expect(wrap(model).doStream({ ...params, abortSignal: caller.signal })).rejects.toThrow('gone')
    expect(await state()).toEqual([10, 0])
  })

  it('a stream pays for what was read if the caller aborts and reads no more', async () => {
    const { wrap, state, warnings } = scene()
    const caller = new AbortController()
    const { model } = streaming(parts(['hello', ' you'], usage(12, 30)))
    const { textStream } = streamText({ model: wrap(model), prompt: 'hi', abortSignal: caller.signal })
    for await (const text of textStream) if (text === 'hello') caller.abort()
    // The SDK may have read the next part by then.
    await expect.poll(async () => (await state())[1]).toBe(0)
    expect([20, 28]).toContain((await state())[0])
    expect(warnings).toEqual([])
  })

  it('a cancelled stream pays for what was read, and stops the model', async () => {
    const { wrap, state } = scene()
    const { model, seen } = streaming(parts(['hello', ' you'], usage(12, 30)))
    const { stream } = await wrap(model).doStream(params)
    const reader = stream.getReader()
    for (let i = 0; i < 3; i++) await reader.read()
    expect(seen.made).toBe(3)
    await reader.cancel('enough')
    expect([await state(), seen.isCancelled, seen.signal?.aborted]).toEqual([[20, 0], true, true])
  })

  it('a stream that is cancelled before it is read costs its input', async () => {
    const { wrap, state } = scene()
    const { model } = streaming(parts(['hello'], usage(12, 30)))
    await (await wrap(model).doStream(params)).stream.cancel()
    expect(await state()).toEqual([10, 0])
  })

  it.each([
    [0, [0, 0]],
    [2, [38, 0]],
  ])('a stream that the model breaks off after %i texts costs what it passed on', async (texts, left) => {
    const { wrap, state, warnings } = scene()
    const failure = new Error('connection lost')
    const all = parts(
      Array.from({ length: texts }, () => '7 a day'),
      usage(),
    ).slice(0, 2 + texts)
    const { model } = streaming([...all, failure])
    const { error } = await read((await wrap(model).doStream(params)).stream)
    expect([error, await state(), warnings]).toEqual([failure, left, []])
  })

  it.each([
    ['no usage', usage(), [0, 0]],
    ['a usage', usage(12, 0), [12, 0]],
  ])('an error of the model with %s settles the stream', async (_, reported, left) => {
    const { wrap, state, warnings } = scene()
    const { model } = streaming([
      { type: 'error', error: new Error('overloaded') },
      { type: 'finish', finishReason: { unified: 'error', raw: undefined }, usage: reported },
    ])
    await read((await wrap(model).doStream(params)).stream)
    expect([await state(), warnings]).toEqual([left, []])
  })

  it('a tokenizer that fails stops the model, and the stream costs what it passed on', async () => {
    const tokens = (text: string): number => (text === ' you' ? Number.NaN : text.length)
    const { wrap, state } = scene({ tokens })
    const { model, seen } = streaming(parts(['hello', ' you'], usage(12, 30)))
    const { error, parts: passed } = await read((await wrap(model).doStream(params)).stream)
    expect(error).toMatchObject({ code: 'HALT_E_USAGE' })
    expect([passed.length, await state(), seen.signal?.aborted]).toEqual([3, [20, 0], true])
  })

  it('a stream that does not begin gives everything back', async () => {
    const { wrap, state } = scene()
    const model = new MockLanguageModelV3({ doStream: () => Promise.reject(new Error('overloaded')) })
    await expect(wrap(model).doStream(params)).rejects.toThrow('overloaded')
    expect(await state()).toEqual([0, 0])
  })

  it('a stream pays once if the caller leaves while a part is being paid', async () => {
    const { wrap, state } = scene()
    const caller = new AbortController()
    const { model } = streaming(parts(['hello', ' you'], usage(12, 30)))
    const { stream } = await wrap(model).doStream({ ...params, abortSignal: caller.signal })
    const reading = read(stream)
    for (let turn = 0; turn < 3; turn++) await Promise.resolve()
    const gone = new Error('gone')
    caller.abort(gone)
    expect((await reading).error).toBe(gone)
    const [used, held] = await state()
    expect([10, 20, 28]).toContain(used)
    expect(held).toBe(0)
  })
})
