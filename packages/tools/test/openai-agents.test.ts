import { Agent, type Model, type ModelRequest, type ModelResponse, Runner, tool, Usage } from '@openai/agents'
import { expect, it } from 'vitest'
import { z } from 'zod'

import { isToolRefusal } from '../src/index.ts'
import { scene } from './scene.ts'

/** A model that calls a tool again and again, and says what it was told when it was refused so often. */
class LoopingModel implements Model {
  readonly told: unknown[] = []
  #calls = 0

  async getResponse({ input }: ModelRequest): Promise<ModelResponse> {
    const results =
      typeof input === 'string' ? [] : input.filter(item => item.type === 'function_call_result')
    const refusals = results.flatMap(({ output }) => {
      const text = typeof output === 'string' ? output : JSON.stringify(output)
      const { text: inner } = JSON.parse(text) as { text?: string }
      const value: unknown = JSON.parse(inner ?? text)
      return isToolRefusal(value) ? value : []
    })
    this.told.splice(0, this.told.length, ...refusals)
    const last = refusals.at(-1)
    return {
      usage: new Usage(),
      output:
        refusals.length >= 3 && last !== undefined
          ? [
              {
                type: 'message',
                role: 'assistant',
                status: 'completed',
                content: [{ type: 'output_text', text: `I stop: ${last.message}` }],
              },
            ]
          : [
              {
                type: 'function_call',
                callId: `call-${this.#calls++}`,
                name: 'search',
                status: 'completed',
                arguments: JSON.stringify({ query: `q${this.#calls}` }),
              },
            ],
    }
  }

  // oxlint-disable-next-line require-yield -- nobody streams
  async *getStreamedResponse(): AsyncGenerator<never> {
    throw new Error('not streamed')
  }
}

it('a refusal passes the output schema of a tool, and so do its own results', async () => {
  const { guard } = scene({ tools: { search: { limit: 1, window: '1h' } } })
  const search = tool({
    name: 'search',
    description: 'Searches.',
    parameters: z.object({ query: z.string() }),
    outputSchema: z.object({ found: z.number() }),
    execute: async () => ({ found: 7 }),
  })
  const model = new LoopingModel()
  const agent = new Agent({ name: 'finder', model, tools: guard.openaiAgents([search]) })
  const { finalOutput, newItems } = await new Runner({ tracingDisabled: true }).run(agent, 'Find it.', {
    maxTurns: 20,
    context: { userId: 'ann' },
  })
  expect(finalOutput).toMatch(/^I stop: search was not run\./)
  expect(JSON.stringify(newItems)).toContain('found')
})

it('an agent that loops and ignores refusals runs its tool as often as allowed, and says why it stops', async () => {
  let ran = 0
  const { guard, left } = scene({
    tools: { search: { limit: 4, window: '1h', cost: ({ query }: { query: string }) => query.length - 1 } },
  })
  const search = tool({
    name: 'search',
    description: 'Searches.',
    parameters: z.object({ query: z.string() }),
    execute: async ({ query }) => ({ found: query, ran: ++ran }),
  })
  const model = new LoopingModel()
  const agent = new Agent({ name: 'finder', model, tools: guard.openaiAgents([search]) })
  const runner = new Runner({ tracingDisabled: true })
  const { finalOutput } = await runner.run(agent, 'Find it.', { maxTurns: 20, context: { userId: 'ann' } })
  expect(ran).toBe(4)
  expect(model.told).toHaveLength(3)
  expect(model.told[0]).toMatchObject({ reason: 'limited', policy: 'tool_search', retryAfter: 900 })
  expect(finalOutput).toBe(
    'I stop: search was not run. This tool is limited to 4 calls per hour for this user, and none is possible now. The next call is possible in 15 minutes. Until then do something else, or tell the user.',
  )
  expect(await left()).toEqual({ tool_calls: 96, everybody: 996, tool_search: 0 })
})
