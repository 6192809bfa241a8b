// After each act of an operator, the limiter, the usage page, the command line, the operator's page and the managers are asked about
// one client. All must give the same answer, which is that of its next request.
import { Control } from '@halt/control'
import { type Decision, QuotaManager, RateLimiter } from '@halt/core'
import { usageOf } from '@halt/core/http'
import { operator } from '@halt/operator'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { unique } from '../../../../tools/unique.ts'
import { folderWith, halt, sourceOf } from '../halt.ts'

/** What somebody says of the next request, and of each limit that counts it: units left, and units in all. */
interface Answer {
  readonly allowed: boolean
  readonly decidedBy: 'counters' | 'block' | 'permission'
  readonly left: Readonly<Record<string, readonly [number, number]>>
}

const perUser = {
  name: 'per_user',
  limit: 5,
  window: '1h',
  algorithm: 'fixed-window',
  keyStrategy: 'user',
} as const
const month = { name: 'month', limit: 8, period: 'monthly', anchor: aMinuteAgo() } as const
const request = {
  method: 'GET',
  path: '/',
  ip: '203.0.113.7',
  headers: {},
  request: { user: { id: 'cleo' } },
}

function application(prefix: string) {
  const client = new Redis(inject('redisUrl'))
  const store = new RedisStore({ client, prefix })
  const control = new Control({ store })
  const limiter = new RateLimiter({ store, control, policy: [perUser, month], storeTimeout: '30s' })
  const quotas = new QuotaManager(store, { control, storeTimeout: '30s' })
  const page = operator({ limiters: [limiter], control, authorize: () => 'ann', reveal: true })
  onTestFinished(async () => {
    page.close()
    control.close()
    await limiter.close()
    await client.quit()
  })
  return { control, limiter, quotas, page }
}

const decidedBy = (reason: string | undefined): Answer['decidedBy'] =>
  reason === 'blocked' ? 'block' : reason === 'exempt' ? 'permission' : 'counters'

function ofDecision({ allowed, reason, counted, verdicts }: Decision): Answer {
  const left = (counted ? verdicts : []).map(each => [each.policy, [each.remaining, each.limit]] as const)
  return { allowed, decidedBy: decidedBy(reason), left: Object.fromEntries(left) }
}

it('the limiter, the usage page, the command line, the page and the manager give one answer after each act', async () => {
  const prefix = `${unique()}:`
  const { control, limiter, quotas, page } = application(prefix)
  const cwd = folderWith({ 'limits.mjs': `export const policies = ${sourceOf([perUser, month])}` })
  const shell = (...args: string[]) =>
    halt([...args, '--policy', 'limits.mjs', '--prefix', prefix], {
      cwd,
      env: { HALT_REDIS_URL: inject('redisUrl') },
    })

  const askers: Readonly<Record<string, () => Promise<Answer>>> = {
    'peek of the identity': async () => ofDecision(await limiter.peek({ user: 'cleo' })),
    'peek of the request': async () => ofDecision(await limiter.peek(request)),
    async 'the usage page'() {
      const { body } = await usageOf(limiter, request)
      const left = body.limits.map(each => [each.policy, [each.remaining, each.limit]] as const)
      return {
        allowed: body.blocked === undefined && body.limits.every(each => each.retry_after === 0),
        decidedBy: body.blocked !== undefined ? 'block' : body.exempt ? 'permission' : 'counters',
        left: Object.fromEntries(left),
      }
    },
    async 'halt find'() {
      const { out, code } = await shell('find', 'user:cleo', '--json')
      const found = JSON.parse(out)
      const by = decidedBy(found.decision.reason)
      expect(code).toBe(found.decision.allowed ? 0 : 1)
      const left = (by === 'counters' ? found.policies : []).map(({ policy, verdict }: any) => [
        policy,
        [verdict.remaining, verdict.limit],
      ])
      return { allowed: found.decision.allowed, decidedBy: by, left: Object.fromEntries(left) }
    },
    async "the operator's page"() {
      const answer = await page(
        new Request('http://localhost/halt/api/find', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-halt-operator': '1' },
          body: JSON.stringify({ whom: { user: 'cleo' } }),
        }),
      )
      const [found] = ((await answer.json()) as any).limiters
      const counted = found.policies.filter((each: any) => each.exemption === undefined)
      const left = counted.map((each: any) => [each.policy, [each.remaining, each.limit]])
      return { allowed: found.allowed, decidedBy: decidedBy(found.reason), left: Object.fromEntries(left) }
    },
  }

  /** Asks everybody until all give the answer. Processes remember a refusal for up to a second. */
  async function allSay(after: string, answer: Answer): Promise<void> {
    await control.refresh()
    for (const [who, ask] of Object.entries(askers))
      await expect.poll(ask, { message: `${who} after ${after}`, interval: 100 }).toEqual(answer)
    const { allowed, quota, entry } = await quotas.checkQuota('cleo', month)
    const ofMonth = answer.left['month']
    expect([after, entry?.kind ?? 'none']).toEqual([
      after,
      { block: 'block', permission: 'allow', counters: 'none' }[answer.decidedBy],
    ])
    if (ofMonth !== undefined)
      expect([after, quota.remaining, quota.limit + quota.granted]).toEqual([after, ...ofMonth])
    expect([after, allowed]).toEqual([after, ofMonth === undefined ? answer.allowed : ofMonth[0] > 0])
  }
  const counters = (per_user: readonly [number, number], ofMonth: readonly [number, number]): Answer => ({
    allowed: per_user[0] > 0 && ofMonth[0] > 0,
    decidedBy: 'counters',
    left: { per_user, month: ofMonth },
  })
  const blocked: Answer = { allowed: false, decidedBy: 'block', left: {} }
  const passes: Answer = { allowed: true, decidedBy: 'permission', left: {} }
  const use = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await limiter.check(request)
  }

  await use(2)
  await expect.poll(async () => (await shell('entries')).err).toBe('')
  await allSay('two requests', counters([3, 5], [6, 8]))
  await shell('block', 'user:cleo', '--for', '1h')
  await allSay('block', blocked)
  // Nothing is charged while the block holds.
  await use(2)
  expect((await quotas.consumeQuota('cleo', month)).allowed).toBe(false)
  await shell('unblock', 'user:cleo')
  await allSay('unblock', counters([3, 5], [6, 8]))
  await shell('override', 'user:cleo', 'month', '--limit', '50')
  await allSay('override', counters([3, 5], [48, 50]))
  await shell('change', 'per_user', '--limit', '4')
  await shell('change', 'month', '--limit', '6')
  await allSay('change', counters([2, 4], [48, 50]))
  await shell('revert', 'month', 'user:cleo')
  await allSay('revert of the client', counters([2, 4], [4, 6]))
  await use(2)
  await allSay('two more requests', counters([0, 4], [2, 6]))
  await shell('revert', 'per_user')
  await shell('revert', 'month')
  await allSay('revert for everybody', counters([1, 5], [4, 8]))
  await shell('grant', 'user:cleo', 'month', '7')
  await allSay('grant', counters([1, 5], [11, 15]))
  await use(1)
  await allSay('the last request', counters([0, 5], [10, 15]))
  await shell('reset', 'user:cleo')
  await allSay('reset', counters([5, 5], [10, 15]))
  await shell('allow', 'user:cleo')
  await allSay('allow', passes)
  await use(3)
  expect((await quotas.consumeQuota('cleo', month, { cost: 99 })).allowed).toBe(true)
  await shell('disallow', 'user:cleo')
  await allSay('disallow', counters([5, 5], [10, 15]))
})
