import { InMemoryStore } from '@halt/store-memory'
import Fastify, { type FastifyInstance } from 'fastify'
import { expect, it } from 'vitest'

import { createApp } from '../src/app.ts'
import { listen } from '../src/listen.ts'
import { show } from '../src/show.ts'

async function shown(app: FastifyInstance): Promise<{ ok: boolean; text: string }> {
  const server = await listen(app, 0)
  const lines: string[] = []
  const ok = await show(server.url, line => lines.push(line))
  await server.close()
  return { ok, text: lines.join('\n') }
}

it('shows 200 turn into 429 and back, in less than 15 seconds', { timeout: 15_000 }, async () => {
  const { ok, text } = await shown(await createApp({ store: new InMemoryStore() }))
  expect(text).not.toContain('✗')
  expect(ok).toBe(true)
  expect(text).toContain('"error":"rate_limit_exceeded"')
})

it('shows the same while the store is away: the process limits by itself', { timeout: 15_000 }, async () => {
  const away = { evaluate: () => Promise.reject(new Error('away')), forget: () => {} }
  expect(await shown(await createApp({ store: away }))).toMatchObject({ ok: true })
})

it('says what is not as it should be', { timeout: 15_000 }, async () => {
  const app = Fastify()
  app.setNotFoundHandler((_request, reply) => reply.code(200).send({ all: 'open' }))
  const { ok, text } = await shown(app)
  expect(ok).toBe(false)
  expect(text).toContain('✗ expected: the status is 429')
})
