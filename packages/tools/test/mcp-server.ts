import { RateLimiter, type Store } from '@halt/core'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { z } from 'zod'

import { guardTools, type ToolCaller, type ToolGuard } from '../src/index.ts'

/** What MCP tells of a call. */
type Extra = { readonly authInfo?: AuthInfo }

/** A guard of the tools below: 20 calls of each user, and 3 mails. */
export function guardOf(store: Store, who?: { user: string }): ToolGuard<Extra> {
  const limiter = new RateLimiter({
    store,
    policy: { name: 'tool_calls', limit: 20, window: '1h', keyStrategy: 'user' },
    storeTimeout: '30s',
  })
  return guardTools({
    limiter,
    who: who ?? (({ context }: ToolCaller<Extra>) => context.authInfo && { user: context.authInfo.clientId }),
    tools: {
      send_mail: { limit: 3, window: '1h', chargeWhen: ({ failed }) => !failed },
      '*': {},
    },
    repeats: 5,
  })
}

/** A server with guarded tools, as a request or a process has one. */
export function serverOf(guard: ToolGuard<Extra>, sent: string[] = []): McpServer {
  const server = new McpServer({ name: 'shop', version: '1.0.0' })
  server.registerTool(
    'send_mail',
    {
      description: 'Sends a mail.',
      inputSchema: { to: z.string(), text: z.string() },
      outputSchema: { id: z.number() },
    },
    guard.mcp('send_mail', ({ to, text }) => {
      if (to === 'nobody')
        return { isError: true, content: [{ type: 'text' as const, text: 'no such user' }] }
      const id = sent.push(`${to}: ${text}`)
      return { content: [{ type: 'text' as const, text: 'sent' }], structuredContent: { id } }
    }),
  )
  server.registerTool(
    'time',
    { description: 'Tells the time.' },
    guard.mcp('time', () => ({ content: [{ type: 'text' as const, text: 'noon' }] })),
  )
  return server
}
