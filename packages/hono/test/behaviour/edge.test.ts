import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { isWaitOf } from '../../../../tools/is-wait-of.ts'
import { openPost } from '../../../../tools/open-post.ts'
import { startWorker, type Worker } from '../../../../tools/workerd.ts'

let worker: Worker
beforeAll(async () => {
  worker = await startWorker(new URL('../edge/worker.ts', import.meta.url))
})
afterAll(() => worker.close())

const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  worker.fetch(path, { headers: { 'CF-Connecting-IP': '203.0.113.7', ...headers } })

const statuses = async (count: number, path: string, headers?: Record<string, string>): Promise<number[]> => {
  const found: number[] = []
  for (let i = 0; i < count; i++) {
    const response = await ask(path, headers)
    await response.text()
    found.push(response.status)
  }
  return found
}

describe('in a Worker of workerd', () => {
  it('the bundle contains nothing of Node', () => {
    expect(worker.code).toContain('haltMiddleware')
    expect(worker.code).not.toMatch(/node:|require\(|__vite-browser-external/)
  })

  it('the Worker counts addresses in memory, and sends Retry-After', async () => {
    expect(await statuses(2, '/ip/a')).toEqual([200, 200])
    const refused = await ask('/ip/b')
    expect([
      refused.status,
      refused.headers.get('ratelimit-limit'),
      isWaitOf(30, refused.headers.get('retry-after')),
    ]).toEqual([429, '2', true])
    expect(await refused.json()).toMatchObject({
      error: 'rate_limit_exceeded',
      retry_after: expect.toSatisfy(wait => isWaitOf(30, wait)),
    })
    expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After')
    expect((await ask('/ip/a', { 'CF-Connecting-IP': '203.0.113.8' })).status).toBe(200)
  })

  it('the Worker admits a client again after the window', async () => {
    const slow = { 'CF-Connecting-IP': '203.0.113.9' }
    expect(await statuses(3, '/sliding', slow)).toEqual([200, 200, 429])
    await worker.fetch('/advance', { method: 'POST', body: '66000' })
    expect(await statuses(3, '/sliding', slow)).toEqual([200, 200, 429])
  })

  it('the Worker counts keys by their digests, quotas included', async () => {
    const response = await ask('/key', { 'X-API-Key': 'secret' })
    expect(await response.json()).toEqual({ key: expect.stringMatching(/^api-key:#/) })
    expect(await statuses(2, '/key', { 'X-API-Key': 'secret' })).toEqual([200, 429])
    expect(await statuses(1, '/key', { 'X-API-Key': 'another' })).toEqual([200])
  })

  it('the Worker waits for a policy function', async () => {
    expect(await statuses(2, '/later')).toEqual([200, 429])
  })

  it('the Worker counts requests in flight', async () => {
    const first = openPost(worker.fetch, '/busy')
    expect((await first.response).status).toBe(200)
    const post = { method: 'POST', body: 'x' }
    expect((await worker.fetch('/busy', post)).status).toBe(429)
    await first.end()
    await expect.poll(async () => (await worker.fetch('/busy', post)).status).toBe(200)
  })

  it('the Worker counts requests without an address on one counter, and warns', async () => {
    const unknown = async (): Promise<number> => (await worker.fetch('/ip/a')).status
    expect([await unknown(), await unknown(), await unknown()]).toEqual([200, 200, 429])
    await expect.poll(() => worker.printed.match(/HALT_W_\w+(?=: )/g)).toEqual(['HALT_W_NO_ADDRESS'])
  })
})
