import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CallToolResultSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { expect, it, onTestFinished } from 'vitest'

import { processScript } from '../../../tools/process-script.ts'
import { isToolRefusal } from '../src/index.ts'
import { guardOf, serverOf } from './mcp-server.ts'

const MAIL_REFUSED =
  'send_mail was not run. This tool is limited to 3 calls per hour for this user, and none is possible now. The next call is possible in 20 minutes. Until then do something else, or tell the user.'

/** Serves MCP over streamable HTTP, and authenticates by the token that a request bears. */
async function listen(sent: string[]): Promise<URL> {
  const guard = guardOf(new InMemoryStore({ clock: new ManualClock().now }))
  async function answer(req: IncomingMessage & { auth?: AuthInfo }, res: ServerResponse): Promise<void> {
    const token = req.headers.authorization?.slice('Bearer '.length)
    if (token !== undefined) req.auth = { token, clientId: `user-of-${token}`, scopes: [] }
    const server = serverOf(guard, sent)
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    res.on('close', () => void server.close())
    await server.connect(transport as Transport)
    await transport.handleRequest(req, res)
  }
  const http = createServer((req, res) => {
    answer(req, res).catch(error => res.destroy(error))
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void http.close())
  return new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
}

async function connect(transport: Transport): Promise<Client> {
  const client = new Client({ name: 'agent', version: '1.0.0' })
  await client.connect(transport)
  onTestFinished(() => client.close())
  return client
}

function overHttp(url: URL, token?: string): Promise<Client> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }) as Transport)
}

async function call(client: Client, name: string, args?: Record<string, unknown>): Promise<CallToolResult> {
  return CallToolResultSchema.parse(await client.callTool({ name, arguments: args }))
}

const textOf = ({ content: [first] }: CallToolResult): string => (first?.type === 'text' ? first.text : '')

it('an agent that loops over HTTP, and opens new sessions, sends three mails, and is told why no more', async () => {
  const sent: string[] = []
  const url = await listen(sent)
  const answers: CallToolResult[] = []
  for (let session = 0; session < 2; session++) {
    const client = await overHttp(url, 'ann')
    // Ignores refusals.
    for (let i = 0; i < 5; i++)
      answers.push(await call(client, 'send_mail', { to: 'ben', text: `${session}${i}` }))
  }
  expect(sent).toHaveLength(3)
  const refused = answers.filter(({ isError }) => isError === true)
  expect(refused).toHaveLength(7)
  for (const result of refused) {
    expect(textOf(result)).toBe(MAIL_REFUSED)
    expect(isToolRefusal(result._meta)).toBe(true)
    expect(result._meta).toMatchObject({ reason: 'limited', policy: 'tool_send_mail', retryAfter: 1200 })
  }
  expect(JSON.stringify(refused)).not.toMatch(/ann|127\.0\.0\.1|Bearer/)
  // Other tools and other users are not refused, and seven refusals have cost them nothing: 3 of 20 calls are used.
  const ann = await overHttp(url, 'ann')
  for (let i = 0; i < 5; i++) expect(textOf(await call(ann, 'time'))).toBe('noon')
  const repeated = await call(ann, 'time')
  expect([repeated.isError, repeated._meta?.['reason']]).toEqual([true, 'repeated'])
  const ben = await call(await overHttp(url, 'ben'), 'send_mail', { to: 'ann', text: 'hello' })
  expect(ben.structuredContent).toEqual({ id: 4 })
})

it('a result that tells of an error gives its unit back, where that is asked', async () => {
  const client = await overHttp(await listen([]), 'ann')
  for (let i = 0; i < 4; i++) {
    const result = await call(client, 'send_mail', { to: 'nobody', text: String(i) })
    expect([result.isError, textOf(result)]).toEqual([true, 'no such user'])
  }
  expect((await call(client, 'send_mail', { to: 'ben', text: 'hello' })).isError).not.toBe(true)
})

it('a caller whom the transport has not authenticated is refused, whatever its arguments say', async () => {
  const sent: string[] = []
  const client = await overHttp(await listen(sent))
  const result = await call(client, 'send_mail', { to: 'ben', text: 'hello', user: 'ann' })
  expect(result._meta).toMatchObject({ reason: 'missing-key', retryAfter: null })
  expect(sent).toEqual([])
})

it('a server over stdio counts the user of its process', async () => {
  const script = await processScript(new URL('stdio-process.ts', import.meta.url))
  onTestFinished(() => script.remove())
  const client = await connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [script.path],
      env: { TOOLS_USER: 'ann' },
    }),
  )
  const answers: CallToolResult[] = []
  for (let i = 0; i < 5; i++) answers.push(await call(client, 'send_mail', { to: 'ben', text: String(i) }))
  expect(answers.map(textOf)).toEqual(['sent', 'sent', 'sent', MAIL_REFUSED, MAIL_REFUSED])
})
