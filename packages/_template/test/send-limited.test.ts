import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { expect, it } from 'vitest'

import { halt, sendLimited } from '../src/index.ts'
import { listen } from './adapter.ts'

it('sendLimited refuses in the format of the guard before it', async () => {
  const options = { store: new InMemoryStore(), exemptPrivateIps: false }
  const limit = halt({
    ...options,
    policy: { name: 'all', limit: 100, window: 60 },
    errorFormat: 'problem',
    headers: 'draft-7',
  })
  const searches = new RateLimiter({ ...options, policy: { name: 'searches', limit: 1, window: 60 } })
  const served = await listen(async (req, res) => {
    if (!(await limit(req, res))) return
    const decision = await searches.check(req)
    if (!decision.allowed) return sendLimited({ req, res }, decision)
    res.end('found')
  })
  expect((await fetch(served.url)).status).toBe(200)
  const refused = await fetch(served.url)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('RateLimit')).toBe('limit=1, remaining=0, reset=60')
  expect(await refused.json()).toMatchObject({ 'violated-policies': ['searches'] })
  await served.close()
})
