import { InMemoryStore } from '@halt/store-memory'
import { Hono } from 'hono'
import { expect, it } from 'vitest'

import { createApp } from '../src/app.ts'
import type { DemoEnv } from '../src/demo-auth.ts'
import { listen } from '../src/listen.ts'
import { show } from '../src/show.ts'

async function shown(app: Parameters<typeof listen>[0]): Promise<{ ok: boolean; text: string }> {
  const server = await listen(app, 0)
  const lines: string[] = []
  const ok = await show(server.url, line => lines.push(line))
  await server.close()
  return { ok, text: lines.join('\n') }
}

it('shows 200 turn into 429 and back, in less than 15 seconds', { timeout: 15_000 }, async () => {
  const { ok, text } = await shown(createApp({ store: new InMemoryStore() }))
  expect(text).not.toContain('✗')
  expect(ok).toBe(true)
  expect(text).toContain('"error":"rate_limit_exceeded"')
})

it('shows the same while the store is away: the process limits by itself', { timeout: 15_000 }, async () => {
  const away = { evaluate: () => Promise.reject(new Error('away')), forget: () => {} }
  expect(await shown(createApp({ store: away }))).toMatchObject({ ok: true })
})

it('says what is not as it should be', { timeout: 15_000 }, async () => {
  const app = new Hono<DemoEnv>().all('*', c => c.json({ all: 'open' }))
  const { ok, text } = await shown(app)
  expect(ok).toBe(false)
  expect(text).toContain('✗ expected: the status is 429')
})
