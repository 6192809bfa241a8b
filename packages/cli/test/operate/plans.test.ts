// A customer of a product with plans complains. The limits file lists the plans, so no look shows the refusal of another plan.
import { Control } from '@halt/control'
import { QuotaManager, RateLimiter } from '@halt/core'
import { operator } from '@halt/operator'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, inject, it, onTestFinished } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { unique } from '../../../../tools/unique.ts'
import { folderWith, halt, type HaltRun, sourceOf } from '../halt.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())
const env = { HALT_REDIS_URL: inject('redisUrl') }

const FREE = { name: 'free', limit: 10, window: '1h', keyStrategy: 'user', counter: 'plan' } as const
const PRO = { ...FREE, name: 'pro', limit: 200 } as const
const FREE_MONTH = { name: 'free_month', limit: 15, period: 'monthly', anchor: aMinuteAgo() } as const
const PRO_MONTH = { name: 'pro_month', limit: 1000, period: 'monthly', anchor: aMinuteAgo() } as const
const PER_IP = { name: 'per_ip', limit: 100, window: 60 } as const
const PLANS = { free: [FREE, FREE_MONTH], pro: [PRO, PRO_MONTH] } as const

/** A control that has read what operators have set. */
async function read(store: RedisStore): Promise<Control> {
  const control = new Control({ store })
  onTestFinished(() => control.close())
  await control.refresh()
  return control
}

/** An application whose policies depend on the client's plan, and a shell beside it. */
function scene() {
  const prefix = `${unique()}:`
  const store = new RedisStore({ client, prefix })
  const control = new Control({ store })
  let plan: keyof typeof PLANS = 'free'
  const policy = (): (typeof PLANS)[keyof typeof PLANS] => PLANS[plan]
  const limiter = new RateLimiter({ store, control, policy, storeTimeout: '30s', warn: () => {} })
  onTestFinished(async () => {
    control.close()
    await limiter.close()
  })
  const file = `
    export const policies = [${JSON.stringify(PER_IP)}]
    export const plans = ${sourceOf(PLANS)}
    export const settings = { prefix: ${JSON.stringify(prefix)} }`
  const cwd = folderWith({ 'limits.mjs': file })
  return {
    prefix,
    store,
    cwd,
    use: async (name: keyof typeof PLANS, cost: number) => {
      plan = name
      await control.refresh()
      return limiter.consume({ user: '42' }, { cost, policy: PLANS[name] })
    },
    shell: (...args: string[]): Promise<HaltRun> => halt([...args, '--policy', 'limits.mjs'], { cwd, env }),
  }
}

describe('a client of a product with plans', () => {
  it('a client is shown under each plan apart, and the plan that charged it last is marked', async () => {
    const { use, shell, prefix } = scene()
    await use('free', 10)
    await use('free', 5)
    await use('pro', 20)
    const { code, out, err } = await shell('find', 'user:42')
    // The free plan would refuse, and it is not this customer's.
    expect([code, err]).toEqual([0, ''])
    const lines = out.split('\n')
    expect(lines[0]).toMatch(new RegExp(`^Redis 127.*, database 0, prefix "${prefix}": 1 live process$`))
    expect(lines[1]).toBe('The client was charged last under the plan pro.')
    // The plan that counts comes first and whole, the other one in a line.
    expect(lines[2]).toBe('Plan pro, charged last: passes')
    expect(out).toContain('  pro_month (quota) for "user:42"')
    expect(lines.at(-4)).toBe('Plan free: would be refused under it (--plan free shows it)')
    expect(out).not.toContain('free_month')
    const json = JSON.parse((await shell('find', 'user:42', '--json')).out)
    expect(json).toMatchObject({
      lastPlan: 'pro',
      plans: [
        { plan: 'free', chargedLast: false, decision: { allowed: false } },
        { plan: 'pro', chargedLast: true, decision: { allowed: true } },
      ],
    })
  })

  it('a client that no counter knows is refused only if every plan refuses it', async () => {
    const { use, shell } = scene()
    await use('pro', 1)
    const { code, out } = await shell('find', 'user:7')
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('The counters do not tell under which plan the client was charged last.'),
    ])
    expect(out).not.toContain('charged last:')
  })

  it('a client is judged by the plan that the operator names, where nothing else tells the plan', async () => {
    const prefix = `${unique()}:`
    const store = new RedisStore({ client, prefix })
    const month = { period: 'monthly', counter: 'month', anchor: aMinuteAgo() } as const
    const plans = {
      free: [{ name: 'free_month', limit: 3, ...month }],
      pro: [{ name: 'pro_month', limit: 100, ...month }],
    }
    const limiter = new RateLimiter({ store, policy: plans.free, storeTimeout: '30s', warn: () => {} })
    onTestFinished(() => limiter.close())
    for (let i = 0; i < 4; i++) await limiter.consume({ user: '42' })
    const file = `export const plans = ${sourceOf(plans)}; export const settings = { prefix: '${prefix}' }`
    const at = { cwd: folderWith({ 'limits.mjs': file }), env }
    const find = (...args: string[]): Promise<HaltRun> =>
      halt(['find', 'user:42', '--policy', 'limits.mjs', ...args], at)
    const unknown = await find()
    expect([unknown.code, unknown.out]).toEqual([
      0,
      expect.stringContaining('If you know its plan, give --plan.'),
    ])
    const free = await find('--plan', 'free')
    expect([free.code, free.out]).toEqual([1, expect.stringContaining('\nPlan free: refused\n')])
    expect(free.out).not.toMatch(/Plan pro|If you know its plan/)
    const pro = await find('--plan', 'pro')
    expect([pro.code, pro.out]).toEqual([0, expect.stringContaining('\nPlan pro: passes\n')])
    expect(JSON.parse((await find('--plan', 'pro', '--json')).out)).toMatchObject({
      lastPlan: null,
      ownPlan: 'pro',
      plans: [{ decision: { allowed: false } }, { decision: { allowed: true } }],
    })
    const wrong = await find('--plan', 'gold')
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('Its plans are free, pro.')])
  })

  it('a client is not said to pass under a plan that counts nothing of it', async () => {
    const { shell } = scene()
    const { out } = await shell('find', 'api-key:sk_1')
    expect(out).toContain('Plan free: counts nothing of it')
    expect(out).not.toContain('would pass')
  })

  it('a reset leaves a used-up quota and says how to give more, and a grant gives more', async () => {
    const { use, shell, store } = scene()
    await use('free', 10)
    await new QuotaManager(store).consumeQuota('42', FREE_MONTH, { cost: 5 })
    expect((await shell('find', 'user:42')).code).toBe(1)
    const reset = await shell('reset', 'user:42', '--reason', 'their bug')
    expect(reset.code).toBe(1)
    expect(reset.out).toContain('1 counter of user:42 was reset.')
    expect(reset.out).toContain(
      'Still refused: the quota free_month (plan free) is used up, and a reset leaves quotas. Give more: npx @halt/cli grant user:42 free_month 1000',
    )
    const grant = [
      'grant',
      'user:42',
      'free_month',
      '7',
      '--reason',
      'our outage',
      '--by',
      'ann',
      '--once',
      'ticket 9',
    ]
    const granted = await shell(...grant)
    expect([granted.code, granted.out]).toEqual([
      0,
      expect.stringMatching(/\nuser:42 has 7 units of free_month on top until .*, and 7 left\.\n$/),
    ])
    expect((await shell(...grant)).code).toBe(1)
    expect((await use('free', 6)).allowed).toBe(true)
    const history = JSON.parse((await shell('history', '--json')).out)
    expect(history.filter(({ act }: { act: string }) => act === 'grant')).toMatchObject([
      { target: 'user:42', policy: 'free_month', units: 7, by: 'ann', reason: 'our outage' },
    ])
  })

  it('granted units are taken back, what was used stays used, and a number below 0 names the command', async () => {
    const { use, shell } = scene()
    await use('free', 10)
    await shell('grant', 'user:42', 'free_month', '20')
    const wrong = await shell('grant', 'user:42', 'free_month', '-20')
    expect([wrong.code, wrong.err]).toEqual([
      2,
      expect.stringMatching(/-20 is below 0\..*ungrant <whom> <quota> <units>\. It takes granted units back/),
    ])
    const back = [
      'ungrant',
      'user:42',
      'free_month',
      '15',
      '--reason',
      'a zero too much',
      '--once',
      'ticket 9',
    ]
    const taken = await shell(...back)
    expect([taken.code, taken.out]).toEqual([
      0,
      expect.stringMatching(
        /\n15 granted units of free_month were taken back from user:42; 5 stay until .*, and 10 left\. 10 are used, as before\.\n$/,
      ),
    ])
    const again = await shell(...back)
    expect([again.code, again.out]).toEqual([1, expect.stringContaining('Nothing was taken back')])
    const rest = JSON.parse((await shell('ungrant', 'user:42', 'free_month', '100', '--json')).out)
    expect(rest).toMatchObject({ takenBack: 5, granted: 0, used: 10, remaining: 5 })
    const history = JSON.parse((await shell('history', '--json')).out)
    expect(history.map(({ act, units }: { act: string; units: number }) => [act, units])).toEqual([
      ['ungrant', 5],
      ['ungrant', 15],
      ['grant', 20],
    ])
  })

  it('units for today alone are an override that ends at midnight, and are not added to another one', async () => {
    const { use, shell, store } = scene()
    await use('free', 10)
    const granted = await shell('grant', 'user:42', 'free_month', '1000', '--for', 'today', '--by', 'ann')
    expect([granted.code, granted.out]).toEqual([
      0,
      expect.stringMatching(
        /\nuser:42 has 1 000 units of free_month more, limit 1 015, until \S+T00:00:00Z\.\nThen the limit of 15 holds again, and what was used stays used\. End it: npx @halt\/cli revert free_month user:42 --policy limits\.mjs\n/,
      ),
    ])
    const { quota } = await new QuotaManager(store, { control: await read(store) }).checkQuota(
      '42',
      FREE_MONTH,
    )
    expect(quota).toMatchObject({ limit: 1015, used: 10, granted: 0 })
    const again = await shell('grant', 'user:42', 'free_month', '5', '--for', '3h')
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('a limit of 1020 by override')])
    expect((await shell('revert', 'user:42', 'free_month')).code).toBe(0)
    expect((await shell('grant', 'user:42', 'free_month', '5', '--for', 'soon')).code).toBe(2)
    expect((await shell('grant', 'user:42', 'free_month', '5', '--for', '3h', '--once', 'x')).code).toBe(2)
  })

  it('a client is found with the quota of its company, which the operator’s pages of the processes know', async () => {
    const prefix = `${unique()}:`
    const store = new RedisStore({ client, prefix })
    const control = new Control({ store })
    const company = { name: 'company_month', limit: 3, period: 'monthly', anchor: aMinuteAgo() } as const
    const ofCompany = { ...company, keyExtractor: () => 'acme' }
    const limiter = new RateLimiter({
      store,
      control,
      policy: [PRO, ofCompany],
      storeTimeout: '30s',
      warn: () => {},
    })
    const page = operator({ limiters: [limiter], control, authorize: () => 'ann' })
    onTestFinished(async () => {
      page.close()
      control.close()
      await limiter.close()
    })
    for (let i = 0; i < 4; i++)
      await limiter.check({ user: { id: '42' }, socket: { remoteAddress: '203.0.113.7' } })
    const file = `export const policies = [${JSON.stringify(PRO)}, { ...${sourceOf(company)}, keyExtractor: () => undefined }]`
    const shell = (...args: string[]): Promise<HaltRun> =>
      halt([...args, '--prefix', prefix, '--policy', 'limits.mjs'], {
        cwd: folderWith({ 'limits.mjs': file }),
        env,
      })
    expect((await shell('find', 'user:42')).code).toBe(0)
    const { code, out } = await shell('find', 'user:42', '--keys')
    expect([code, out]).toEqual([
      1,
      expect.stringContaining('Counted lately on custom:acme too: company_month refuses: quota-exceeded.'),
    ])
    // Support knows the address too. The keys of the user alone are what its requests share with the company.
    const withAddress = await shell('find', 'user:42', '--ip', '203.0.113.7', '--keys')
    expect([withAddress.code, withAddress.out]).toEqual([
      1,
      expect.stringContaining('Counted lately on custom:acme too: company_month refuses: quota-exceeded.'),
    ])
    expect(withAddress.out).not.toContain('Counted lately on user:42')
    expect(out).toContain('There may be others: the processes look at samples.\n')
    // The policy of the company is not the first one, so no verdict of a counter stands there.
    await control.block({ custom: 'acme' })
    expect((await shell('find', 'user:42', '--keys')).out).toContain(
      'Counted lately on custom:acme too: company_month refuses: blocked.',
    )
  })

  it('a grant does not tell the remaining units where they depend on a plan that is not known', async () => {
    const prefix = `${unique()}:`
    const month = { name: 'month', period: 'monthly', anchor: aMinuteAgo() } as const
    const plans = { free: [{ ...month, limit: 10 }], pro: [{ ...month, limit: 1000 }] }
    const file = `export const plans = ${sourceOf(plans)}; export const settings = { prefix: '${prefix}' }`
    const cwd = folderWith({ 'limits.mjs': file })
    const { out } = await halt(['grant', 'user:42', 'month', '5', '--policy', 'limits.mjs'], { cwd, env })
    expect(out).toMatch(/\nuser:42 has 5 units of month on top until [^,]*Z\.\n$/)
  })

  it('halt grant refuses a grant that would help nobody', async () => {
    const { use, shell } = scene()
    await use('free', 1)
    for (const [args, exit, says] of [
      [['grant', 'ip:203.0.113.7', 'free_month', '5'], 2, 'It is reached by { user }'],
      [['grant', 'user:42', 'free', '5'], 2, 'Its quotas are free_month, pro_month.'],
      [['grant', 'user:42', 'free_month', '0'], 2, 'The number of units is "0"'],
      [['grant', 'user:42', 'free_month', 'x'], 2, 'The number of units is "x"'],
      // It would be noted as 1.5 units, and give 2.
      [['grant', 'user:42', 'free_month', '1.5'], 2, 'Give a whole number'],
    ] as const) {
      const { code, err } = await shell(...args)
      expect([code, err]).toEqual([exit, expect.stringContaining(says)])
    }
  })

  it('a reset tells the command that ends a block of the client', async () => {
    const { use, shell } = scene()
    await use('pro', 1)
    await shell('block', 'user:42', '--reason', 'scraping')
    const { code, out } = await shell('reset', 'user:42')
    expect([code, out]).toEqual([1, expect.stringContaining('End it: npx @halt/cli unblock user:42')])
    expect((await shell('unblock', 'user:42')).code).toBe(0)
  })
})

describe('a log of a product with plans', () => {
  it('halt replay replays a log under each plan apart, in one pass, standard input too', async () => {
    const { cwd } = scene()
    const line = (i: number): string =>
      `${JSON.stringify({ time: 1795510800 + i, ip: '203.0.113.7', user: '42' })}\n`
    const log = Array.from({ length: 40 }, (_, i) => line(i)).join('')
    const args = ['replay', '-', '--policy', 'limits.mjs']
    const { code, out } = await halt(args, { cwd, stdin: log })
    expect(code).toBe(0)
    expect(out).toMatch(/^Plan free, if all had it\n40 requests[^]*\n\nPlan pro, if all had it\n40 requests/)
    const { plans } = JSON.parse((await halt([...args, '--json'], { cwd, stdin: log })).out)
    expect(plans).toMatchObject([
      { plan: 'free', requests: 40, refused: 30 },
      { plan: 'pro', requests: 40, refused: 0 },
    ])
  })
})

describe('a limits file', () => {
  const run = (file: string): Promise<HaltRun> =>
    halt(['find', 'user:42', '--policy', 'limits.mjs'], { cwd: folderWith({ 'limits.mjs': file }), env })

  it.each([
    ['plans that are a list', 'export const plans = [1]', 'HALT_E_POLICY_MODULE'],
    ['no plan', 'export const plans = {}', 'HALT_E_POLICY_MODULE'],
    ['an empty plan', 'export const plans = { free: [] }', 'HALT_E_POLICY_MODULE'],
    ['a plan of texts', 'export const plans = { free: ["x"] }', 'HALT_E_POLICY_MODULE'],
    [
      'a wrong policy in a plan',
      'export const plans = { free: [{ name: "a", limit: 0, window: 1 }] }',
      'HALT_E_LIMIT',
    ],
    [
      'unknown settings',
      'export const settings = { prefxi: "a" }; export const policies = [{ name: "a", limit: 1, window: 1 }]',
      'HALT_E_POLICY_MODULE',
    ],
    [
      'a prefix that is no text',
      'export const settings = { prefix: 7 }; export const policies = [{ name: "a", limit: 1, window: 1 }]',
      'HALT_E_POLICY_MODULE',
    ],
    [
      'plans as policies',
      `export const policies = ${JSON.stringify([FREE, PRO])}`,
      'export const plans = { free: […], pro: […] }',
    ],
  ])('a limits file with %s is an error: %#', async (_name, file, says) => {
    const { code, err } = await run(file)
    expect([code, err]).toEqual([3, expect.stringContaining(says)])
  })

  it('halt doctor can use the limits file of the README', async () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const [, file = ''] = /```ts\n(\/\/ limits\.ts\n[^]*?)```/.exec(readme) ?? []
    const cwd = folderWith({ 'limits.ts': file })
    const { code, out } = await halt(['doctor', '--policy', 'limits.ts'], { cwd })
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('limits.ts, plan pro, can be used: per_ip, pro, pro_month.'),
    ])
  })

  it('a limits file may have all in its default export, and its secret and prefixes name the counters', async () => {
    const prefix = `${unique()}:`
    const store = new RedisStore({ client, prefix })
    const secret = 'a secret of at least 16 characters'
    const own = { name: 'per_key', limit: 5, window: '1h', keyStrategy: 'api-key' } as const
    const limiter = new RateLimiter({
      store,
      policy: own,
      secret,
      apiKey: () => 'sk_1',
      storeTimeout: '30s',
      warn: () => {},
    })
    onTestFinished(() => limiter.close())
    await limiter.consume({ apiKey: 'sk_1' }, { cost: 2 })
    const file = `export default {
      policies: [${JSON.stringify(own)}],
      settings: { prefix: ${JSON.stringify(prefix)}, secret: ${JSON.stringify(secret)}, apiKey: () => undefined },
    }`
    const { out, code } = await halt(['find', 'api-key:sk_1', '--policy', 'limits.mjs', '--json'], {
      cwd: folderWith({ 'limits.mjs': file }),
      env,
    })
    expect(code).toBe(0)
    expect(JSON.parse(out).counters).toMatchObject([{ policy: 'per_key', used: 2 }])
  })
})
