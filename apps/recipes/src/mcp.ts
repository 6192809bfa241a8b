import { type Decision, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { z } from 'zod'

const CALLS = 5
const limiter = new RateLimiter({
  store: new InMemoryStore(), // new RedisStore({ client }), if calls may reach several processes
  policy: { name: 'tool_calls', limit: CALLS, window: '1h' },
})

function refused({ retryAfter }: Decision): CallToolResult {
  const text =
    `This call was not run: you have used your ${CALLS} tool calls per hour. ` +
    `No call of any tool will succeed for ${retryAfter} seconds, so do not repeat it now. ` +
    'Continue with the results that you have, or tell the user when you can go on.'
  return { isError: true, content: [{ type: 'text', text }], _meta: { retryAfter } }
}

/** Runs a tool, if its caller may still call one. */
async function limited(user: string, cost: number, tool: () => CallToolResult): Promise<CallToolResult> {
  const decision = await limiter.consume({ user }, { cost })
  return decision.allowed ? tool() : refused(decision)
}

let found = 0
function serverFor(user: string): McpServer {
  const server = new McpServer({ name: 'shop', version: '1.0.0' })
  server.registerTool(
    'search',
    { description: 'Searches the shop.', inputSchema: { query: z.string() } },
    ({ query }) =>
      limited(user, 1, () => {
        found++
        return { content: [{ type: 'text', text: `Nothing found for ${query}. (search ${found})` }] }
      }),
  )
  return server
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const user = req.headers['x-user']?.toString() ?? 'anonymous' // stands for your authentication
  const server = serverFor(user)
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  res.on('close', () => void server.close())
  await server.connect(transport)
  await transport.handleRequest(req, res)
}

createServer((req, res) => {
  answer(req, res).catch(error => res.destroy(error))
}).listen(3000)
