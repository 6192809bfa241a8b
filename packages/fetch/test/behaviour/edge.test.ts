import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { isWaitOf } from '../../../../tools/is-wait-of.ts'
import { openPost } from '../../../../tools/open-post.ts'
import { startWorker, type Worker } from '../../../../tools/workerd.ts'

let worker: Worker
beforeAll(async () => {
  worker = await startWorker(new URL('../edge/worker.ts', import.meta.url), {
    bindings: { NAME: 'production' },
    // With such a date a Worker has no WeakRef.
    compatibilityDate: '2022-11-30',
  })
})
afterAll(() => worker.close())

const from = (ip: string): RequestInit => ({ headers: { 'CF-Connecting-IP': ip } })
const ask = (ip = '203.0.113.7'): Promise<Response> => worker.fetch('/', from(ip))

describe('in a Worker of workerd with an old compatibility date', () => {
  it('the bundle contains nothing of Node', () => {
    expect(worker.code).toContain('cf-connecting-ip')
    expect(worker.code).not.toMatch(/['"]node:|require\(|__vite-browser-external/)
  })

  it('the Worker runs without WeakRef and FinalizationRegistry', async () => {
    const response = await worker.fetch('/globals')
    expect(await response.json()).toEqual(['undefined', 'undefined'])
  })

  it('the Worker counts addresses, and sends Retry-After', async () => {
    expect(await (await ask()).json()).toEqual({ key: 'ip:203.0.113.7', env: 'production' })
    expect((await ask()).headers.get('ratelimit-remaining')).toBe('0')
    const refused = await ask()
    expect([refused.status, isWaitOf(30, refused.headers.get('retry-after'))]).toEqual([429, true])
    expect(await refused.json()).toMatchObject({
      error: 'rate_limit_exceeded',
      retry_after: expect.toSatisfy(wait => isWaitOf(30, wait)),
    })
    expect((await ask('203.0.113.8')).status).toBe(200)
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
    const unknown = (): Promise<Response> => worker.fetch('/')
    expect(await (await unknown()).json()).toMatchObject({ key: 'ip:unknown' })
    expect([await unknown(), await unknown()].map(({ status }) => status)).toEqual([200, 429])
    await expect.poll(() => worker.printed.match(/HALT_W_\w+(?=: )/g)).toEqual(['HALT_W_NO_ADDRESS'])
  })
})
