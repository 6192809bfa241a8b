import { Control } from '@halt/control'
import { RateLimiter, usd } from '@halt/core'
import { operator } from '@halt/operator'
import { InMemoryStore } from '@halt/store-memory'
import { guardTools, type ToolCaller } from '@halt/tools'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { z } from 'zod'

const store = new InMemoryStore() // new RedisStore({ client }), if calls may reach several processes
const control = new Control({ store })
const limiter = new RateLimiter({
  store,
  control,
  policy: [
    { name: 'tool_calls', limit: 300, window: '1h', keyStrategy: 'user' },
    { name: 'everybody', limit: 5000, window: '1m', keyStrategy: 'shared' },
  ],
})

const guard = guardTools({
  limiter,
  who: ({ context }: ToolCaller<{ authInfo?: AuthInfo }>) =>
    context.authInfo && { user: context.authInfo.clientId },
  tools: {
    send_mail: { limit: 3, window: '1h' },
    translate: {
      name: 'month',
      limit: usd(5),
      period: 'monthly',
      unit: 'usd-micro',
      cost: ({ text }: { text: string }) => ({ month: text.length * usd(0.0001) }), // the most that it may cost
      settle: ({ _meta }: { _meta: { spent: number } }) => ({ month: _meta.spent }),
    },
    '*': {}, // all other tools: tool_calls and everybody alone
  },
  repeats: 5, // the same call with the same arguments, in ten minutes
})

function makeServer(): McpServer {
  const server = new McpServer({ name: 'shop', version: '1.0.0' })
  const text = (answer: string) => [{ type: 'text' as const, text: answer }]
  server.registerTool(
    'search',
    { description: 'Searches the shop.', inputSchema: { query: z.string() } },
    guard.mcp('search', ({ query }) => ({ content: text(`Nothing found for ${query}.`) })),
  )
  server.registerTool(
    'send_mail',
    { description: 'Sends a mail to the shop.', inputSchema: { body: z.string() } },
    guard.mcp('send_mail', ({ body }) => ({ content: text(`Sent: ${body}`) })),
  )
  server.registerTool(
    'translate',
    { description: 'Translates a text.', inputSchema: { text: z.string() } },
    guard.mcp('translate', args => {
      const spent = args.text.length * usd(0.00005) // stands for what the service bills
      return { content: text(args.text.toUpperCase()), _meta: { spent } }
    }),
  )
  return server
}

const users = new Map([
  ['token-of-ann', 'ann'],
  ['token-of-ben', 'ben'],
]) // stands for your authorization server

async function answer(req: IncomingMessage & { auth?: AuthInfo }, res: ServerResponse): Promise<void> {
  const token = req.headers.authorization?.replace(/^Bearer /, '') ?? ''
  const user = users.get(token)
  if (user === undefined) return void res.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end()
  req.auth = { token, clientId: user, scopes: [] } // the SDK gives it to the tools as authInfo
  const server = makeServer()
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  res.on('close', () => void server.close())
  await server.connect(transport)
  await transport.handleRequest(req, res)
}

createServer((req, res) => {
  answer(req, res).catch(error => res.destroy(error))
}).listen(3000)

// The operator's page finds a user, and tells how often each tool was called.
const tools = new RateLimiter({ store, control, policy: guard.limits() })
const ann = `Basic ${btoa(`ann:${process.env['OPERATOR_PASSWORD'] ?? crypto.randomUUID()}`)}` // stands for your sign-in
const page = operator({
  limiters: [limiter, tools],
  control,
  authorize: request =>
    request.headers.get('authorization') === ann
      ? 'ann'
      : new Response('Sign in.', { status: 401, headers: { 'WWW-Authenticate': 'Basic' } }),
})
createServer(page.node).listen(4000, 'localhost')
