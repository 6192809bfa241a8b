import { type Policy, RateLimiter } from '@halt/core'
import { tool as langchainTool } from '@langchain/core/tools'
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { tool as openaiTool } from '@openai/agents'
import { generateText, type LanguageModel, tool } from 'ai'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

import {
  guardTools,
  isToolRefusal,
  type McpRefusal,
  type ToolCaller,
  type ToolRefusal,
} from '../src/index.ts'

declare const limiter: RateLimiter
declare const own: RateLimiter<{ team: string }>
declare const server: McpServer
declare const model: LanguageModel
const inputSchema = z.object({ query: z.string() })
const guard = guardTools({ limiter, who: { user: 'a' }, tools: { '*': {} } })

describe('the types', () => {
  it('a refusal of MCP is a result of a tool', () => {
    expectTypeOf<McpRefusal>().toExtend<CallToolResult>()
  })

  it('the handler of an MCP tool knows its arguments from the schema', () => {
    server.registerTool(
      'search',
      { inputSchema },
      guard.mcp('search', ({ query }, { signal }) => {
        expectTypeOf(query).toEqualTypeOf<string>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        return { content: [{ type: 'text', text: query }] }
      }),
    )
    server.registerTool(
      'shape',
      { inputSchema: { page: z.number() } },
      guard.mcp('shape', async ({ page }) => {
        expectTypeOf(page).toEqualTypeOf<number>()
        return { content: [] }
      }),
    )
    server.registerTool(
      'time',
      {},
      guard.mcp('time', () => ({ content: [] })),
    )
  })

  it('tools of the frameworks keep their types', async () => {
    const search = tool({ inputSchema, execute: async ({ query }) => query.length })
    const { toolResults } = await generateText({ model, prompt: '', tools: guard.aiSdk({ search }) })
    for (const result of toolResults)
      if (result.dynamic !== true) expectTypeOf(result.output).toEqualTypeOf<number>()
    const openai = openaiTool({ name: 'a', description: '', parameters: inputSchema, execute: () => 1 })
    expectTypeOf(guard.openaiAgents([openai])).toEqualTypeOf<(typeof openai)[]>()
    const langchain = langchainTool(() => 'a', { name: 'a', schema: inputSchema })
    expectTypeOf(guard.langchain(langchain)).toEqualTypeOf<typeof langchain>()
  })

  it('a wrapped function returns a promise of what it returned', () => {
    expectTypeOf(guard.wrap('a', (n: number) => String(n))).toEqualTypeOf<(n: number) => Promise<string>>()
    expectTypeOf(guard.wrap('a', async () => 1)).toEqualTypeOf<() => Promise<number>>()
  })

  it('the context has the type that who asks for', () => {
    const typed = guardTools({
      limiter: own,
      who: ({ context }: ToolCaller<{ userId: string }>) => ({ user: context.userId }),
      tools: {},
    })
    typed.aiSdk({}, { userId: 'a' })
    // @ts-expect-error -- another context
    typed.aiSdk({}, { user: 'a' })
    // @ts-expect-error -- not an identity
    guardTools({ limiter, who: { name: 'a' }, tools: {} })
  })

  it('a tool has a limit of any kind, or none', () => {
    guardTools({
      limiter,
      who: 'a',
      tools: {
        rate: { limit: 1, window: '1h', cost: ({ pages }: { pages: number }) => pages },
        busy: {
          algorithm: 'concurrency',
          limit: 1,
          ttl: '1m',
          also: { name: 'day', limit: 1, period: 'daily' },
        },
        month: { name: 'month', limit: 1, period: 'monthly', settle: (spent: number) => spent },
        free: { cost: { tool_calls: 5 }, repeats: false },
        // @ts-expect-error -- a window and a period
        both: { limit: 1, window: 1, period: 'daily' },
        // @ts-expect-error -- no such field
        typo: { limit: 1, windw: 1 },
      },
    })
    expectTypeOf(guard.limits('a')).toEqualTypeOf<readonly Policy[]>()
  })

  it('isToolRefusal narrows', () => {
    const output: unknown = 1
    if (isToolRefusal(output)) expectTypeOf(output).toEqualTypeOf<ToolRefusal>()
  })
})
