import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import { servedBy } from './page.ts'

beforeEach(() => void vi.stubEnv('OPERATOR_PASSWORD', 'secret'))
afterEach(() => void vi.unstubAllEnvs())
const url = servedBy('mcp')

async function agentOf(user: string): Promise<Client> {
  const agent = new Client({ name: 'agent', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(url('mcp')), {
    requestInit: { headers: { Authorization: `Bearer token-of-${user}` } },
  })
  // Their type is not made for exactOptionalPropertyTypes.
  await agent.connect(transport as unknown as Parameters<Client['connect']>[0])
  onTestFinished(() => agent.close())
  return agent
}

const call = async (agent: Client, name: string, args: Record<string, unknown>): Promise<CallToolResult> =>
  (await agent.callTool({ name, arguments: args })) as CallToolResult

const textOf = ({ content: [first] }: CallToolResult): string => (first?.type === 'text' ? first.text : '')

describe('docs/recipes/mcp.md', () => {
  it('an agent that loops sends exactly three mails, and a new session sends no more', async () => {
    const agents = [await agentOf('ann'), await agentOf('ann')]
    const calls = agents.flatMap((agent, i) =>
      Array.from({ length: 10 }, (_, n) => call(agent, 'send_mail', { body: `${i} ${n}` })),
    )
    const answers = await Promise.all(calls)
    expect(answers.filter(({ isError }) => isError !== true)).toHaveLength(3)
    const refused = answers.find(({ isError }) => isError === true)
    expect(refused && textOf(refused)).toMatch(
      /^send_mail was not run\. This tool is limited to 3 calls per hour for this user, and none is possible now\. The next call is possible in \d+ minutes\./,
    )
    expect(refused?._meta).toMatchObject({ reason: 'limited', policy: 'tool_send_mail' })
    // Another user is not affected, and other tools are not.
    expect(textOf(await call(await agentOf('ben'), 'send_mail', { body: 'hello' }))).toBe('Sent: hello')
    expect(textOf(await call(agents[0] as Client, 'search', { query: 'shoes' }))).toBe(
      'Nothing found for shoes.',
    )
  })

  it('the same search six times is one too many', async () => {
    const agent = await agentOf('ann')
    for (let i = 0; i < 5; i++)
      expect(await call(agent, 'search', { query: 'x' })).not.toHaveProperty('isError', true)
    const repeated = await call(agent, 'search', { query: 'x' })
    expect(repeated._meta).toMatchObject({ reason: 'repeated' })
  })

  it('a month of translations costs at most five dollars, by what they have really cost', async () => {
    const agent = await agentOf('ann')
    // Each may cost 2 dollars, and costs 1.
    const texts = ['a', 'b', 'c', 'd', 'e'].map(letter => letter.repeat(20_000))
    const answers: CallToolResult[] = []
    for (const text of texts) answers.push(await call(agent, 'translate', { text }))
    expect(answers.map(({ isError }) => isError ?? false)).toEqual([false, false, false, false, true])
    expect(textOf(answers[4] as CallToolResult)).toContain(
      'This tool is limited to $5.00 per month for this user. It has $1.00 left, and this call needs $2.00.',
    )
  })

  it('a caller without a token gets 401, and calls no tool', async () => {
    const response = await fetch(url('mcp'), { method: 'POST', body: '{}' })
    expect(response.status).toBe(401)
  })
})
