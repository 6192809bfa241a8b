import { ToolMessage } from '@langchain/core/messages'
import { StructuredTool, tool } from '@langchain/core/tools'
import { expect, it } from 'vitest'
import { z } from 'zod'

import { isToolRefusal } from '../src/index.ts'
import { scene } from './scene.ts'

const schema = z.object({ query: z.string() })
const config = { configurable: { userId: 'ann' } }
const callOf = (id: string) => ({ type: 'tool_call' as const, id, name: 'search', args: { query: id } })

it('a refusal is a message of LangChain with the id of the call, and the tool does not run', async () => {
  let ran = 0
  const { guard, left } = scene({ tools: { search: { limit: 2, window: '1h' } } })
  const given = tool(async ({ query }) => `${++ran}: ${query}`, {
    name: 'search',
    description: 'Searches.',
    schema,
  })
  const search = guard.langchain(given)
  const messages: ToolMessage[] = []
  for (const id of ['a', 'b', 'c', 'd']) messages.push(await search.invoke(callOf(id), config))
  expect(ran).toBe(2)
  expect(messages.map(message => [message instanceof ToolMessage, message.tool_call_id])).toEqual([
    [true, 'a'],
    [true, 'b'],
    [true, 'c'],
    [true, 'd'],
  ])
  expect(messages[1]?.content).toBe('2: b')
  for (const { content } of messages.slice(2)) {
    expect(isToolRefusal(JSON.parse(content as string))).toBe(true)
    expect(content).toContain('search was not run. This tool is limited to 2 calls per hour for this user')
  }
  expect(await left()).toEqual({ tool_calls: 98, everybody: 998, tool_search: 0 })
  // The tool that was given has no guard.
  await given.invoke(callOf('e'), config)
  expect(ran).toBe(3)
})

it('a tool of a class of its own, with an artifact, is guarded as well', async () => {
  class Search extends StructuredTool {
    readonly name = 'search'
    readonly description = 'Searches.'
    readonly schema = schema
    override responseFormat = 'content_and_artifact'
    #ran = 0

    protected async _call({ query }: { query: string }): Promise<[string, { ran: number }]> {
      return [query, { ran: ++this.#ran }]
    }
  }
  const { guard } = scene({ tools: { search: { limit: 1, window: '1h' } } })
  const search = guard.langchain(new Search(), { userId: 'ann' })
  expect(await search.invoke(callOf('a'))).toMatchObject({ content: 'a', artifact: { ran: 1 } })
  const refused = (await search.invoke(callOf('b'))) as ToolMessage
  expect(isToolRefusal(refused.artifact)).toBe(true)
  expect(JSON.parse(refused.content as string)).toEqual(refused.artifact)
})

it('what is not a tool of LangChain is refused', () => {
  const { guard } = scene()
  expect(() => guard.langchain([])).toThrow(/HALT_E_TOOL/)
})
