// A customer complains at nine in the evening, an abuser has to be stopped, and a limit has to be halved. Two processes run the
// application on a real Redis. An operator acts from outside: once at the command line, and once in code.
import { randomUUID } from 'node:crypto'
import { Control } from '@halt/control'
import { QuotaManager, RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { folderWith, halt, type HaltRun, sourceOf } from '../halt.ts'
import { type AppProcesses, startProcesses } from './app-processes.ts'
import { monthly, perUser } from './story-limits.ts'

interface Answer {
  readonly allowed: boolean
  readonly reason: string
  readonly policy: string
  readonly limit: number
}

const prefix = `story-${randomUUID()}:`
let app: AppProcesses

beforeAll(async () => {
  app = await startProcesses(new URL('story-app.ts', import.meta.url), 2, [inject('redisUrl'), prefix])
})
afterAll(() => app.stop())

/** What each of the two processes answers to one request of a user. */
function ask(user: string): Promise<Answer[]> {
  return Promise.all(
    app.ports.map(async port => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-user': user } })
      return (await response.json()) as Answer
    }),
  )
}

/** Waits until both processes answer so. Control reaches them within a second and a half. */
async function until(user: string, expected: Partial<Answer>): Promise<void> {
  await expect
    .poll(() => ask(user), { interval: 200 })
    .toEqual([expect.objectContaining(expected), expect.objectContaining(expected)])
}

/** Uses up the limit of a user: five requests in each process. */
async function useUp(user: string): Promise<void> {
  for (let i = 0; i < 5; i++) expect((await ask(user)).map(({ allowed }) => allowed)).toEqual([true, true])
}

it('an operator helps a customer, stops an abuser and halves a limit at the command line', async () => {
  const limits = sourceOf([perUser, monthly])
  const cwd = folderWith({ 'limits.mjs': `export const policies = ${limits}` })
  const shell = (...args: string[]): Promise<HaltRun> =>
    halt([...args, '--prefix', prefix], { cwd, env: { HALT_REDIS_URL: inject('redisUrl') } })

  await useUp('42')
  await until('42', { allowed: false, policy: 'per_user' })
  // Found and explained.
  const found = await shell('find', 'user:42', '--policy', 'limits.mjs')
  expect(found.code).toBe(1)
  expect(found.out).toContain('per_user (fixed-window) for "user:42"')
  expect(found.out).toContain('refuses: limited')
  // Freed for today, and granted more for the month.
  await shell('override', 'user:42', 'per_user', '--limit', '1000', '--for', '12h', '--by', 'ann')
  await shell('override', 'user:42', 'monthly', '--limit', '5000', '--for', '30d', '--by', 'ann')
  await shell('block', 'user:scraper', '--for', '2h', '--reason', 'copies the catalogue', '--by', 'bob')
  await until('42', { allowed: true })
  expect((await shell('find', 'user:42', '--policy', 'limits.mjs')).code).toBe(0)
  await until('scraper', { allowed: false, reason: 'blocked' })

  await shell('change', 'per_user', '--limit', '5', '--reason', 'the database is slow', '--by', 'bob')
  await until('7', { limit: 5 })
  await shell('revert', 'per_user', '--by', 'bob')
  await until('7', { policy: 'per_user', limit: 10 })

  const history = (await shell('history')).out
  for (const act of ['revert', 'change', 'block', 'override']) expect(history).toContain(`  ${act}  `)
  expect(history).toContain('copies the catalogue')
})

describe('the story in code', () => {
  it('an operator helps a customer, stops an abuser and halves a limit in code', async () => {
    const client = new Redis(inject('redisUrl'))
    const store = new RedisStore({ client, prefix })
    const control = new Control({ store })
    const limiter = new RateLimiter({ store, control, policy: [perUser, monthly], storeTimeout: '30s' })
    const quotas = new QuotaManager(store)
    try {
      await useUp('43')
      await until('43', { allowed: false, policy: 'per_user' })
      // Found and explained.
      const explanation = await limiter.explain({ user: '43' })
      expect(explanation.decision).toMatchObject({ allowed: false, policy: 'per_user' })
      // Freed, and granted. The processes remember refusals for up to a second.
      expect(await limiter.reset({ user: '43' }, { policy: perUser })).toBe(1)
      await quotas.grantQuota('43', monthly, 5_000)
      await control.block({ user: 'robot' }, { for: '2h', reason: 'scraping', by: 'carol' })
      await until('43', { allowed: true })
      expect((await quotas.checkQuota('43', monthly)).quota.granted).toBe(5_000)

      await until('robot', { allowed: false, reason: 'blocked' })
      expect((await limiter.explain({ user: 'robot' })).control).toMatchObject({ by: 'carol' })

      await control.change('per_user', { limit: 5 }, { by: 'carol' })
      await until('8', { limit: 5 })
      await control.revert('per_user', { by: 'carol' })
      await until('8', { policy: 'per_user', limit: 10 })
      const acts = (await control.history()).filter(({ by }) => by === 'carol').map(({ act }) => act)
      expect(acts).toEqual(['revert', 'change', 'block'])
    } finally {
      control.close()
      await limiter.close()
      client.disconnect()
    }
  })
})
