import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openPost } from '../../../tools/open-post.ts'
import { startWorker, type Worker } from '../../../tools/workerd.ts'

let worker: Worker
beforeAll(async () => {
  worker = await startWorker(new URL('../src/worker.ts', import.meta.url), {
    durableObjects: { HALT: { className: 'HaltCounters', useSQLite: true } },
  })
})
afterAll(() => worker.close())

type Headers = Readonly<Record<string, string>>

const from = (ip: string, more: Headers = {}): Headers => ({ 'CF-Connecting-IP': ip, ...more })
const quotes = (headers: Headers): Promise<Response> => worker.fetch('/quotes', { headers })
const login = (ip: string, password: string): Promise<Response> =>
  worker.fetch('/auth/login', { method: 'POST', headers: from(ip), body: JSON.stringify({ password }) })

describe('the demo Worker', () => {
  it('the demo Worker counts a user over all addresses, and an address over all users', async () => {
    const statuses: number[] = []
    for (let i = 0; i < 6; i++)
      statuses.push((await quotes(from(`203.0.113.${i}`, { 'X-User': 'ann' }))).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429])
    const bob = await quotes(from('203.0.113.1', { 'X-User': 'bob' }))
    expect(await bob.json()).toMatchObject({ left: 4 })
    // The refused request of ann has not charged its address.
    const eve = await quotes(from('203.0.113.5', { 'X-User': 'eve' }))
    expect([eve.status, eve.headers.get('ratelimit-remaining')]).toEqual([200, '4'])
  })

  it('the demo Worker admits exactly the limit of many requests at the same time', async () => {
    const headers = from('198.51.100.1', { 'X-User': 'crowd' })
    const answers = await Promise.all(Array.from({ length: 40 }, () => quotes(headers)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5)
  })

  it('the demo Worker charges only wrong passwords', async () => {
    const { headers } = await login('198.51.100.2', 'correct horse')
    const burst = Number(headers.get('ratelimit-limit'))
    expect(burst).toBeGreaterThan(0)
    for (let i = 0; i < 15; i++) expect((await login('198.51.100.2', 'correct horse')).status).toBe(200)
    const wrong: number[] = []
    for (let i = 0; i < 11; i++) wrong.push((await login('198.51.100.2', 'guess')).status)
    expect(wrong).toEqual([...Array<number>(10).fill(401), 429])
  })

  it('the demo Worker lets one export of a client run at a time', async () => {
    const first = openPost(
      (path, init) => worker.fetch(path, { ...init, headers: from('198.51.100.3') }),
      '/rows',
    )
    expect((await first.response).status).toBe(200)
    const again = async (): Promise<number> => {
      const init = { method: 'POST', body: 'row', headers: from('198.51.100.3') }
      return (await worker.fetch('/rows', init)).status
    }
    expect(await again()).toBe(429)
    expect(await first.end()).toBe('begun ')
    await expect.poll(again).toBe(200)
  })

  it('the demo Worker prints no warning, of answers and refusals either', async () => {
    const headers = from('198.51.100.4', { 'X-User': 'dan' })
    for (let i = 0; i < 6; i++) await quotes(headers)
    expect((await quotes(headers)).status).toBe(429)
    for (const password of ['correct horse', 'guess']) await login('198.51.100.4', password)
    const init = { method: 'POST', body: 'row', headers: from('198.51.100.4') }
    expect((await worker.fetch('/rows', init)).status).toBe(200)
    expect(worker.printed).toBe('')
  })
})
