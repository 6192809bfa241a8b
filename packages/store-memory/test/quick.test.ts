import { expect, it } from 'vitest'
import { RateLimiter, presets } from '@halt/core'
import { InMemoryStore } from '../src/index.ts'
it('quick', async () => {
  const l = new RateLimiter({ store: new InMemoryStore(), policy: { name: 'a', limit: 5, window: 60 }, exemptPrivateIps: false })
  const req = { method: 'GET', url: '/x', headers: {}, socket: { remoteAddress: '127.0.0.1' } }
  for (let i = 0; i < 5; i++) console.log(await l.check(req))
  const d = await l.check(req)
  console.log(d)
  console.log(String(await l.explain(req)))
  expect(d.allowed).toBe(false)
})
