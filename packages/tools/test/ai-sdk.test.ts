import { generateText, stepCountIs, streamText, tool, type ToolSet } from 'ai'
import { MockLanguageModelV3, simulateReadableStream } from 'ai/test'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { isToolRefusal } from '../src/index.ts'
import { looping, usage } from './looping-model.ts'
import { scene } from './scene.ts'

const ann = { userId: 'ann' }
const schema = z.object({ query: z.string() })
const steps = { prompt: 'Find it.', stopWhen: stepCountIs(40) }

describe('the tools of the AI SDK', () => {
  it('a model that loops and ignores refusals runs its tool as often as allowed, and says why it stops', async () => {
    let ran = 0
    let query = 0
    const { guard, left } = scene({ tools: { search: { limit: 4, window: '1h' } } })
    const tools = guard.aiSdk({
      search: tool({ inputSchema: schema, execute: async ({ query: asked }) => `${++ran}: ${asked}` }),
    })
    const { text, steps: made } = await generateText({
      ...steps,
      model: looping(() => ({ query: String(query++) }), { patience: 6 }),
      tools,
      experimental_context: ann,
    })
    expect(ran).toBe(4)
    expect(made).toHaveLength(4 + 6 + 1)
    expect(text).toBe(
      'I stop: search was not run. This tool is limited to 4 calls per hour for this user, and none is possible now. The next call is possible in 15 minutes. Until then do something else, or tell the user.',
    )
    expect(await left()).toEqual({ tool_calls: 96, everybody: 996, tool_search: 0 })
    const results = made.flatMap(({ toolResults: all }) => all.map(({ output }) => output as unknown))
    expect(results.filter(isToolRefusal)).toHaveLength(6)
  })

  it('version 7 of the SDK gives the context that it gives the tool', async () => {
    const { guard } = scene({ tools: { search: { limit: 1, window: '1h' } } })
    const { search } = guard.aiSdk({ search: { execute: () => 'found' } })
    const run = search.execute as unknown as (input: object, options: object) => Promise<unknown>
    expect(await run({ query: 'a' }, { context: ann })).toBe('found')
    expect(isToolRefusal(await run({ query: 'b' }, { context: ann }))).toBe(true)
  })

  it('the same call again and again is refused before any limit is used up', async () => {
    let ran = 0
    const { guard } = scene({ repeats: 3 })
    const tools = guard.aiSdk({ search: tool({ inputSchema: schema, execute: () => ++ran }) }, ann)
    const { text } = await generateText({ ...steps, model: looping({ query: 'x' }), tools })
    expect(ran).toBe(3)
    expect(text).toContain('It was called 3 times with exactly these arguments.')
  })

  it('the application reads its own results in toModelOutput, and no refusal', async () => {
    const seen: unknown[] = []
    const { guard } = scene({ tools: { search: { limit: 1, window: '1h' } } })
    const tools = guard.aiSdk(
      {
        search: tool({
          inputSchema: schema,
          execute: async () => ({ found: 1 }),
          toModelOutput: ({ output }) => {
            seen.push(output)
            return { type: 'text', value: `found ${output.found}` }
          },
        }),
      },
      ann,
    )
    await generateText({ ...steps, model: looping({ query: 'x' }, { patience: 2 }), tools })
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).toEqual(seen.map(() => ({ found: 1 })))
  })

  it('a tool that fails gives its unit back where that is asked, and the SDK tells the model of its error', async () => {
    const { guard, left } = scene({
      tools: { search: { limit: 2, window: '1h', chargeWhen: ({ failed }) => !failed } },
    })
    const tools = guard.aiSdk(
      { search: tool({ inputSchema: schema, execute: () => Promise.reject<string>(new Error('down')) }) },
      ann,
    )
    const { content } = await generateText({
      prompt: 'Find it.',
      model: looping({ query: 'x' }),
      tools,
      stopWhen: stepCountIs(1),
    })
    expect(content.find(({ type }) => type === 'tool-error')).toMatchObject({ error: new Error('down') })
    expect(await left()).toEqual({ tool_calls: 100, everybody: 1000, tool_search: 2 })
  })

  it('preliminary results stream on, and the call ends with the last one', async () => {
    const { guard, left } = scene({ tools: { search: { algorithm: 'concurrency', limit: 1, ttl: '1m' } } })
    const during: number[] = []
    const tools = guard.aiSdk(
      {
        search: tool({
          inputSchema: schema,
          async *execute() {
            during.push((await left())['tool_search'] ?? -1)
            yield 'half'
            yield 'whole'
          },
        }),
      },
      ann,
    )
    const model = new MockLanguageModelV3({
      doStream: async () => ({
        stream: simulateReadableStream({
          chunkDelayInMs: null,
          initialDelayInMs: null,
          chunks: [
            { type: 'stream-start' as const, warnings: [] },
            { type: 'tool-call' as const, toolCallId: '1', toolName: 'search', input: '{"query":"x"}' },
            {
              type: 'finish' as const,
              finishReason: { unified: 'tool-calls' as const, raw: undefined },
              usage,
            },
          ],
        }),
      }),
    })
    const results: unknown[] = []
    for await (const part of streamText({ model, prompt: 'x', tools }).fullStream)
      if (part.type === 'tool-result') results.push([part.output, part.preliminary ?? false])
    expect(results).toEqual([
      ['half', true],
      ['whole', true],
      ['whole', false],
    ])
    expect(during).toEqual([0])
    expect(await left()).toMatchObject({ tool_search: 1 })
  })

  it('of an iterable that no generator function made, the last result is returned and settled', async () => {
    const settled: unknown[] = []
    const { guard, left } = scene({
      tools: {
        search: {
          algorithm: 'concurrency',
          limit: 1,
          ttl: '1m',
          settle: result => settled.push(result) && {},
        },
      },
    })
    const results = (): ReadableStream => ReadableStream.from(['half', 'whole'])
    for (const execute of [results, async () => results()]) {
      const { search } = guard.aiSdk(
        { search: { execute: execute as (...given: unknown[]) => unknown } },
        ann,
      )
      expect(await search.execute({}, {})).toBe('whole')
    }
    expect(settled).toEqual(['whole', 'whole'])
    expect(await left()).toMatchObject({ tool_search: 1 })
  })

  it('a tool that the client or the provider runs stays as it is, and need not be listed', () => {
    const { guard } = scene({ tools: {} })
    const tools: ToolSet = { confirm: tool({ inputSchema: schema }) }
    expect(guard.aiSdk(tools)['confirm']).toBe(tools['confirm'])
  })
})
