import { beforeAll, describe, expect, it } from 'vitest'

import { startWorker, type Worker } from '../../../../tools/edge-worker.ts'

let worker: Worker
beforeAll(async () => {
  worker = await startWorker(new URL('../edge/worker.ts', import.meta.url))
})

const ask = (path: string, ip = '203.0.113.7'): Promise<Response> =>
  worker.fetch(new Request(`https://api.example${path}`, { headers: { 'CF-Connecting-IP': ip } }))

describe('at the edge, without process and Node', () => {
  it('the bundle contains nothing of Node', () => {
    expect(worker.code).toContain('cf-connecting-ip')
    expect(worker.code).not.toMatch(/['"]node:|require\(|__vite-browser-external/)
  })

  it('loading the script does nothing that only a request may do', () => {
    expect(worker.early).toEqual([])
  })

  it('counts addresses, and sends Retry-After', async () => {
    expect(await (await ask('/')).json()).toEqual({ key: 'ip:203.0.113.7', env: 'production' })
    expect((await ask('/')).headers.get('ratelimit-remaining')).toBe('0')
    const refused = await ask('/')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30'])
    expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded', retry_after: 30 })
    expect((await ask('/', '203.0.113.8')).status).toBe(200)
  })

  it('counts requests in flight', async () => {
    const first = await ask('/busy')
    expect((await ask('/busy')).status).toBe(429)
    await first.text()
    expect((await ask('/busy')).status).toBe(200)
  })

  it('counts requests without an address on one counter, and warns', async () => {
    const unknown = (): Promise<Response> => worker.fetch(new Request('https://api.example/'))
    expect([await unknown(), await unknown(), await unknown()].map(({ status }) => status)).toEqual([
      200, 200, 429,
    ])
    expect(worker.printed).toEqual([expect.stringMatching(/^HALT_W_NO_ADDRESS: /)])
  })
})
