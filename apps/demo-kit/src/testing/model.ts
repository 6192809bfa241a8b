import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'

import { QuotaManager, type Quota } from '@halt/core'
import { expect, it, vi } from 'vitest'

import { MODEL } from '../policies.ts'
import { type Bench, drained } from './bench.ts'

// 29 characters, about 8 tokens: 68 are reserved, and the model answers with 27.
const BODY = { prompt: 'How does a token bucket work?' }
const USED = 8 + 27

/** A model that is paid by token. */
export function model(bench: Bench): void {
  const used = async (user: string): Promise<number> =>
    (await new QuotaManager(bench.store).checkQuota({ user }, MODEL[2] as Quota<never>)).quota.used

  it('reserves an estimate, streams, and settles the tokens used', async () => {
    const response = await bench.post('/complete', BODY, 'ann')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(openAi(response)).toEqual({ requests: ['10', '9'], tokens: ['300', '232'] })
    const events = await eventsOf(response)
    expect(events).toHaveLength(28)
    expect(events[0]).toEqual({ token: 'A' })
    expect(events.at(-1)).toEqual({ usage: { prompt_tokens: 8, completion_tokens: 27 } })
    expect(await used('ann')).toBe(USED)
    const next = await drained(bench.post('/complete', BODY, 'ann'))
    expect(openAi(next).tokens).toEqual(['300', String(300 - USED - 68)])
  })

  it('sends the first tokens before the last are generated', async () => {
    const response = await bench.post('/complete', BODY, 'ann')
    const reader = response.body!.getReader()
    const { value } = await reader.read()
    expect(new TextDecoder().decode(value)).toMatch(/^data: \{"token":"A"\}/)
    expect(await used('ann')).toBe(68)
    while (!(await reader.read()).done);
    expect(await used('ann')).toBe(USED)
  })

  it('charges a client that hangs up for the tokens generated until then', async () => {
    const read = await hangUp(`${bench.app.url}/complete`, 'ann', 2)
    expect(read).toContain('"token":"bucket"')
    await vi.waitFor(async () => expect(await used('ann')).toBeLessThan(USED), { timeout: 30_000 })
    // The prompt, the two tokens that were read, and those on their way.
    const charged = await used('ann')
    expect(charged).toBeGreaterThanOrEqual(8 + 2)
    // The model has stopped, so no more is charged.
    await new Promise(resolve => setTimeout(resolve, 100))
    expect(await used('ann')).toBe(charged)
  })

  it('admits four of five calls at once, because the tokens of the fifth are reserved', async () => {
    const all = await Promise.all(
      Array.from({ length: 5 }, () => drained(bench.post('/complete', BODY, 'ann'))),
    )
    expect(all.filter(({ status }) => status === 200)).toHaveLength(4)
    const refused = all.find(({ status }) => status === 429)!
    expect(openAi(refused).tokens).toEqual(['300', '28'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await used('ann')).toBe(4 * USED)
  })

  it('refuses a prompt that no minute can hold, and charges nothing', async () => {
    const refused = await bench.post('/complete', { prompt: 'x'.repeat(4 * 300) }, 'ann')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, null])
    expect(await refused.json()).toMatchObject({ retry_after: null })
    expect(await used('ann')).toBe(0)
  })
}

/** Requests an answer on a connection of its own, reads the given number of pieces, and hangs up. Resolves to the pieces. */
async function hangUp(url: string, user: string, pieces: number): Promise<string> {
  const headers = { 'X-Demo-User': user, 'Content-Type': 'application/json' }
  const asked = request(url, { method: 'POST', headers, agent: false })
  asked.end(JSON.stringify(BODY))
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let read = ''
  response.setEncoding('utf8').on('data', (piece: string) => (read += piece))
  while (read.split('\n\n').length <= pieces) await once(response, 'data')
  response.on('error', () => {})
  asked.destroy()
  return read
}

async function eventsOf(response: Response): Promise<unknown[]> {
  const text = await response.text()
  return text
    .trim()
    .split('\n\n')
    .map(event => JSON.parse(event.replace('data: ', '')) as unknown)
}

function openAi({ headers }: Response): Record<'requests' | 'tokens', (string | null)[]> {
  const of = (unit: string): (string | null)[] =>
    ['limit', 'remaining'].map(what => headers.get(`x-ratelimit-${what}-${unit}`))
  return { requests: of('requests'), tokens: of('tokens') }
}
