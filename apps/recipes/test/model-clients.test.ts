import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { servedBy } from './page.ts'

const TEXTS = ['Hello', ' from', ' afar']
const KEYS = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL']

/** Providers that speak their protocols. They never end an answer to "hang", and answer 500 to "fail". */
let providers: Server
let closed: Promise<void>
beforeAll(async () => {
  providers = createServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1')
  await once(providers, 'listening')
  const url = `http://127.0.0.1:${(providers.address() as AddressInfo).port}`
  Object.assign(process.env, {
    OPENAI_API_KEY: 'none',
    OPENAI_BASE_URL: `${url}/v1`,
    ANTHROPIC_API_KEY: 'none',
    ANTHROPIC_BASE_URL: url,
  })
})
const url = servedBy('model-clients')
afterAll(() => {
  for (const key of KEYS) Reflect.deleteProperty(process.env, key)
  providers.closeAllConnections()
  providers.close()
})

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  closed = once(res, 'close').then(() => {})
  let body = ''
  for await (const chunk of req) body += String(chunk)
  if (body.includes('fail')) return void res.writeHead(400, { 'Content-Type': 'application/json' }).end('{}')
  res.writeHead(200, { 'Content-Type': 'text/event-stream' })
  const events = req.url === '/v1/chat/completions' ? openai() : anthropic()
  for (const data of events) {
    const { type } = data as { type?: string }
    res.write(`${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(data)}\n\n`)
    if (body.includes('hang') && JSON.stringify(data).includes('from')) return
  }
  res.end(req.url === '/v1/chat/completions' ? 'data: [DONE]\n\n' : '')
}

function openai(): object[] {
  const prompt_tokens_details = { cached_tokens: 40 }
  return [
    ...TEXTS.map(content => ({ choices: [{ index: 0, delta: { content } }] })),
    { choices: [], usage: { prompt_tokens: 100, completion_tokens: 300, prompt_tokens_details } },
  ]
}

function anthropic(): object[] {
  const usage = { input_tokens: 60, cache_read_input_tokens: 40, output_tokens: 1 }
  return [
    { type: 'message_start', message: { id: '1', content: [], usage } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...TEXTS.map(text => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 900 } },
    { type: 'message_stop' },
  ]
}

const ask = (path: string, team: string, prompt = 'hello', signal?: AbortSignal): Promise<Response> =>
  fetch(`${url('model-clients')}/${path}?prompt=${prompt}`, {
    headers: { 'X-Team': team },
    signal: signal ?? null,
  })

/** The calls that a team may make until its budget has no room for one more. */
async function calls(path: string, team: string): Promise<number> {
  for (let made = 0; made < 50; made++) {
    const response = await ask(path, team)
    const text = await response.text()
    if (response.status !== 402) expect([response.status, text]).toEqual([200, 'Hello from afar'])
    else if (text === 'The budget team_day is used up.') return made
  }
  throw new Error('The budget has no end.')
}

// A budget of 10 000. A call reserves 2000 and a little (OpenAI) or 5000 and a little (Anthropic).
describe('docs/recipes/model-clients.md', () => {
  it('the server settles a stream of OpenAI by its usage, 616 units', async () => {
    expect(await calls('openai', 'a')).toBe(13)
  })

  it('the server settles a stream of Anthropic by its usage, 4564 units', async () => {
    expect(await calls('anthropic', 'b')).toBe(2)
  })

  it('the server gives everything back if the provider refuses', async () => {
    for (let i = 0; i < 7; i++)
      await ask('openai', 'c', 'fail').then(
        response => response.text(),
        () => '',
      )
    expect(await calls('openai', 'c')).toBe(13)
  })

  it('the server ends the request to the provider when a client leaves, and charges what was made', async () => {
    // A prompt of 2000 tokens costs 500 units, and four tokens of an answer eight.
    for (let i = 0; i < 2; i++) {
      const client = new AbortController()
      const response = await ask('openai', 'd', 'hang'.repeat(2000), client.signal)
      const reader = response.body!.getReader()
      let text = ''
      while (text !== 'Hello from') text += new TextDecoder().decode((await reader.read()).value)
      client.abort()
      await closed
    }
    // 12 and not 13, because 1016 units are gone; nothing is held any more.
    expect(await calls('openai', 'd')).toBe(12)
  })
})
