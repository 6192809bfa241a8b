import { InMemoryStore } from '@halt/store-memory'
import { expect, it } from 'vitest'

import { listen } from '../src/listen.ts'
import { show } from '../src/show.ts'

async function shown(store: Parameters<typeof listen>[0]['store']): Promise<{ ok: boolean; text: string }> {
  const server = await listen({ store }, 0)
  const lines: string[] = []
  const ok = await show(server, line => lines.push(line))
  await server.close()
  return { ok, text: lines.join('\n') }
}

it('shows 200 turn into 429 and back, in less than 15 seconds', { timeout: 15_000 }, async () => {
  const { ok, text } = await shown(new InMemoryStore())
  expect(text).not.toContain('✗')
  expect(ok).toBe(true)
  expect(text).toContain('"error":"rate_limit_exceeded"')
  expect(text).toContain('fields refused: 3, each with the code TOO_MANY_REQUESTS')
})

it('shows the same while the store is away: the process limits by itself', { timeout: 15_000 }, async () => {
  const away = { evaluate: () => Promise.reject(new Error('away')), forget: () => {} }
  expect(await shown(away)).toMatchObject({ ok: true })
})

it('says what is not as it should be', { timeout: 15_000 }, async () => {
  const open = new InMemoryStore()
  // Forgets what it was told at once.
  const store = {
    evaluate: (group: never) => new InMemoryStore().evaluate(group),
    forget: open.forget.bind(open),
  }
  const { ok, text } = await shown(store)
  expect(ok).toBe(false)
  expect(text).toContain('✗ expected: the status is 429')
})
