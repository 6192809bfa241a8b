import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'

import { servedBy } from './page.ts'

const url = servedBy('mcp')

async function agentOf(user: string): Promise<Client> {
  const agent = new Client({ name: 'agent', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(url('mcp')), {
    requestInit: { headers: { 'X-User': user } },
  })
  // Their type is not made for exactOptionalPropertyTypes.
  await agent.connect(transport as unknown as Parameters<Client['connect']>[0])
  return agent
}

const search = async (agent: Client): Promise<CallToolResult> =>
  (await agent.callTool({ name: 'search', arguments: { query: 'shoes' } })) as CallToolResult

const textOf = ({ content: [first] }: CallToolResult): string => (first?.type === 'text' ? first.text : '')

describe('docs/recipes/mcp.md', () => {
  it('an agent that loops has exactly five calls, and a new session brings no more', async () => {
    const agents = [await agentOf('ann'), await agentOf('ann')]
    const answers = (
      await Promise.all(agents.map(agent => Promise.all(Array.from({ length: 10 }, () => search(agent)))))
    ).flat()
    const passed = answers.filter(({ isError }) => isError !== true)
    expect(passed).toHaveLength(5)
    // The tool itself has run five times.
    const runs = passed.map(answer => /\(search (\d+)\)/.exec(textOf(answer))?.[1])
    expect(new Set(runs)).toEqual(new Set(['1', '2', '3', '4', '5']))
    await Promise.all(agents.map(agent => agent.close()))
  })

  it('the answer to a refused call says that it was not run, and for how long no call will', async () => {
    const agent = await agentOf('ann')
    for (let i = 0; i < 5; i++) expect(await search(agent)).not.toHaveProperty('isError', true)
    const refused = await search(agent)
    const wait = Number(/succeed for (\d+) seconds/.exec(textOf(refused))?.[1])
    expect(textOf(refused)).toContain('was not run')
    expect(wait).toBeGreaterThan(0)
    expect(refused).toMatchObject({ isError: true, _meta: { retryAfter: wait } })
    expect((await agent.listTools()).tools.map(({ name }) => name)).toEqual(['search'])
    await agent.close()
  })

  it('another user of the server is not affected', async () => {
    const [ann, ben] = [await agentOf('ann'), await agentOf('ben')]
    for (let i = 0; i < 6; i++) await search(ann)
    expect(textOf(await search(ben))).toContain('(search 6)')
    await Promise.all([ann.close(), ben.close()])
  })
})
