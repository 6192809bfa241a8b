import { Control } from '@halt/control'
import { type Policy, QuotaManager, RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { isWaitOf } from '../../../../tools/is-wait-of.ts'
import { folderWith, halt, type HaltRun, sourceOf } from '../halt.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())

const policy = [
  { name: 'per_user', limit: 2, window: 3600, keyStrategy: 'user' },
  { name: 'per_ip', limit: 100, window: 60 },
] as const
/** An application on a prefix of its own, and a shell of an operator beside it. */
function scene(policies: readonly Policy[] = policy) {
  const prefix = `cli-${randomUUID()}:`
  const store = new RedisStore({ client, prefix })
  const control = new Control({ store })
  const limiter = new RateLimiter({ store, control, policy: policies, storeTimeout: '30s', warn: () => {} })
  onTestFinished(async () => {
    control.close()
    await limiter.close()
  })
  let alive: Promise<void> | undefined
  const cwd = folderWith({ 'limits.mjs': `export const policies = ${JSON.stringify(policies)}` })
  return {
    cwd,
    store,
    /** Runs a command. Its output comes without the line that names the server and the prefix. */
    shell: async (...args: string[]): Promise<HaltRun> => {
      // A sign of life, for which the clock of a test may be moved afterwards.
      await (alive ??= control.refresh())
      const run = await halt([...args, '--prefix', prefix], {
        cwd,
        env: { HALT_REDIS_URL: inject('redisUrl') },
      })
      const place = `Redis ${new URL(inject('redisUrl')).host}, database 0, prefix "${prefix}": 1 live process\n`
      return { ...run, out: run.out.replace(place, ''), err: run.err.replace(place, '') }
    },
    // A second passes between two readings of the document, so the test reads it itself.
    check: async (id: string, ip = '203.0.113.7') => {
      await control.refresh()
      return limiter.check({ socket: { remoteAddress: ip }, user: { id }, headers: {} })
    },
  }
}

describe('an operator at the command line', () => {
  it('an operator finds, frees and blocks a customer of a running application, and sees it in the history', async () => {
    const { shell, check } = scene()
    for (let i = 0; i < 3; i++) await check('42')
    const found = await shell('find', 'user:42', '--policy', 'limits.mjs')
    expect(found).toMatchObject({ code: 1, err: '' })
    expect(found.out).toContain('per_user (token-bucket) for "user:42"')
    expect(found.out).toContain('refuses: limited')

    const given = await shell(
      'override',
      'user:42',
      'per_user',
      '--limit',
      '50',
      '--for',
      '3d',
      '--reason',
      'paid',
      '--by',
      'ann',
    )
    expect(given).toMatchObject({ code: 0, err: '' })
    expect(given.out).toMatch(
      /^per_user has limit=50 for user:42, until 20.*Z\.\nProcesses whose limiters have a Control/,
    )
    expect(await check('42')).toMatchObject({ allowed: true })
    const freed = await shell('find', 'user:42', '--policy', 'limits.mjs')
    expect(freed.code).toBe(0)
    expect(freed.out).toMatch(
      /set by an operator: .* override {2}user:42 {2}per_user {2}limit=50 .* by ann {2}\(paid\)/,
    )

    await shell('block', 'user:42', '--for', '2h', '--reason', 'scraping', '--by', 'bob')
    expect(await check('42')).toMatchObject({ allowed: false, reason: 'blocked' })
    expect((await shell('unblock', 'user:42', '--by', 'bob')).code).toBe(0)
    expect(await check('42')).toMatchObject({ allowed: true })
    const again = await shell('unblock', 'user:42')
    expect(again).toMatchObject({ code: 1, err: '' })
    expect(again.out).toContain('user:42 was not blocked by an operator.\nIf "npx @halt/cli find"')

    const acts = (JSON.parse((await shell('history', '--json')).out) as { act: string; by: string }[]).map(
      ({ act, by }) => [act, by],
    )
    expect(acts).toEqual([
      ['unblock', 'bob'],
      ['block', 'bob'],
      ['override', 'ann'],
    ])
  })

  it('an operator gets JSON without signs that steer a terminal or turn its text around', async () => {
    const { shell } = scene()
    const signs = '\u009b31m\u202e\u2066\u007f\u0085\u2028\u200f'
    await shell('block', 'user:eve', '--reason', `x${signs}`)
    for (const args of [['entries'], ['history'], ['find', 'user:eve', '--policy', 'limits.mjs']]) {
      const { out } = await shell(...args, '--json')
      // oxlint-disable-next-line no-control-regex
      expect(out.trim()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200f\u2028-\u202e\u2066-\u2069]/)
      expect(JSON.stringify(JSON.parse(out))).toContain(JSON.stringify(signs).slice(1, -1))
    }
  })

  it('a block of a large network warns how many clients it has', async () => {
    const { shell } = scene()
    for (const [network, says] of [
      ['2a00::/20', '68,719,476,736 subscribers of IPv6'],
      ['203.0.0.0/16', '65,536 addresses'],
      ['203.0.113.0/24', undefined],
      ['2001:db8::/48', undefined],
    ] as const) {
      const { err } = await shell('block', network, '--reason', 'an attack')
      if (says === undefined) expect(err).toBe('')
      else expect(err).toContain(`Warning: ${network} has ${says}`)
      if (says !== undefined)
        expect(err).toMatch(new RegExp(`unblock ${network} --prefix \\S+ takes it back\\.`))
    }
  })

  it('an act on more than the network of one owner needs --force', async () => {
    const { shell } = scene()
    for (const [network, says] of [
      ['::/0', '72,057,594,037,927,936 subscribers of IPv6'],
      ['2a00::/18', '274,877,906,944 subscribers of IPv6'],
      ['10.0.0.0/7', '33,554,432 addresses'],
    ] as const)
      for (const act of ['block', 'allow']) {
        const { code, err } = await shell(act, network)
        expect([network, code]).toEqual([network, 2])
        expect(err).toContain(`${network} has ${says}`)
        expect(err).toContain('Add --force')
      }
    expect((await shell('entries')).out).not.toContain('10.0.0.0/7')
    const forced = await shell('block', '10.0.0.0/7', '--force')
    expect([forced.code, forced.err]).toEqual([0, expect.stringContaining('has 33,554,432 addresses')])
  })

  it('an operator frees a client from a cool-down, and the history tells who did it and why', async () => {
    const login = [
      { name: 'login', limit: 1, window: 900, blockDuration: 900, keyStrategy: 'composite' },
      { name: 'per_ip', limit: 100, window: 60 },
    ] as const
    const { shell, check } = scene(login)
    const reset = ['reset', 'user:ann', '--ip', '203.0.113.7', '--policy', 'limits.mjs']
    for (let i = 0; i < 2; i++) await check('ann')
    expect(await check('ann')).toMatchObject({ allowed: false, reason: 'blocked' })

    const wrong = await shell('reset', 'user:ann', '--policy', 'limits.mjs')
    expect(wrong).toMatchObject({ code: 1, err: '' })
    expect(wrong.out).toMatch(/^There was no counter of user:ann to reset\.\nNot known: .*\n/)
    expect(wrong.out).toContain('login: not reachable by { user }; reached by { user, ip } or { apiKey, ip }')

    const freed = await shell(...reset, '--reason', 'forgot it', '--by', 'bob')
    expect(freed).toMatchObject({ code: 0, err: '' })
    expect(freed.out).toMatch(/^1 counter of user:ann\+ip:203\.0\.113\.7 was reset\.\nAllowed/)
    expect(freed.out).toContain('per_ip (token-bucket) for "ip:203.0.113.7"')
    expect(freed.out).not.toContain('per_ip: not reachable')
    expect((await shell('history')).out).toContain('  1 counter  ')
    // Processes remember a refusal for up to a second.
    await expect.poll(async () => (await check('ann')).allowed).toBe(true)
    const [act] = JSON.parse((await shell('history', '--json')).out) as object[]
    expect(act).toMatchObject({
      act: 'reset',
      target: 'user:ann+ip:203.0.113.7',
      units: 1,
      by: 'bob',
      reason: 'forgot it',
    })

    await shell('block', 'user:ann')
    const blocked = await shell(...reset, '--json')
    expect(blocked.code).toBe(1)
    expect(JSON.parse(blocked.out)).toMatchObject({ reset: 1, control: { kind: 'block' } })
  })

  it('an operator sees a block of the network of an address, beside a user who is not blocked', async () => {
    const { shell, check } = scene()
    await check('7', '203.0.113.9')
    await shell('block', '203.0.113.0/24', '--reason', 'scraping')
    const alone = await shell('find', 'user:7', '--policy', 'limits.mjs')
    expect(alone.code).toBe(0)
    expect(alone.out).toMatch(
      /The address is not known, so blocks of addresses are not shown\. Give --ip\.\n$/,
    )
    expect(alone.out).toContain('Give --keys to see them.\n')

    const both = ['user:7', '--ip', '203.0.113.9', '--policy', 'limits.mjs']
    const found = await shell('find', ...both)
    expect(found).toMatchObject({ code: 1, err: '' })
    expect(found.out).toMatch(/^Refused by what { user, ip } reaches: blocked/)
    expect(found.out).not.toContain('--keys')
    expect(found.out).toContain('per_user (token-bucket) for "user:7" by the given identity: 1 of 2 left')
    expect(found.out).toMatch(/set by an operator: .* block {2}203\.0\.113\.0\/24 {2}.*\(scraping\)\n$/)
    const { parts } = JSON.parse((await shell('find', ...both, '--json')).out) as {
      parts: { identity: object; counters: object[] }[]
    }
    expect(parts).toMatchObject([
      { identity: { user: '7' }, counters: [{ used: 1 }] },
      { identity: { ip: '203.0.113.9' }, control: { kind: 'block' } },
    ])

    const reset = await shell('reset', ...both)
    expect(reset).toMatchObject({ code: 1, err: '' })
    expect(reset.out).toMatch(
      /^There was no counter of user:7\+ip:203\.0\.113\.9 to reset\.\nNo policy counts both together\. Leave --ip out\.\n/,
    )
    await shell('unblock', '203.0.113.0/24')
    expect((await shell('find', ...both)).out).toMatch(
      /^Allowed by what { user } reaches[^]*Allowed by what { ip }/,
    )
  })

  it('a reset tells of counters of routes that it cannot name', async () => {
    const { shell, check } = scene([{ name: 'per_route', limit: 1, window: 60, scope: 'route' }])
    await check('42')
    const { code, out } = await shell('reset', '203.0.113.7', '--policy', 'limits.mjs')
    expect(code).toBe(0)
    expect(out).toMatch(
      /^Only a part of the counters of 203\.0\.113\.7 was reset\.\n"per_route" has a counter/,
    )
  })

  it('an operator blocks a network and allows one address of it', async () => {
    const { shell, check } = scene()
    await shell('block', '203.0.113.0/24')
    await shell('allow', '203.0.113.9', '--until', new Date(Date.now() + 60_000).toISOString())
    expect(await check('1')).toMatchObject({ reason: 'blocked' })
    expect(await check('1', '203.0.113.9')).toMatchObject({ reason: 'exempt' })
    expect((await shell('entries')).out.split('\n')).toHaveLength(3)
    const ended = await shell('disallow', '203.0.113.9')
    expect(ended.code).toBe(0)
    expect(ended.out).toMatch(
      /^203\.0\.113\.9 is no longer allowed\.\nStill in force: .* block {2}203\.0\.113\.0\/24/,
    )
    expect(await check('1', '203.0.113.9')).toMatchObject({ reason: 'blocked' })
  })

  it('an act follows the clock of Redis, whatever the clock of its own machine says', async () => {
    const { shell, check } = scene()
    await shell('block', 'user:held', '--for', '2h')
    for (const hours of [3, -3]) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 })
      const { code } = await shell('block', `user:${hours}`, '--for', '2h').finally(() => vi.useRealTimers())
      expect(code).toBe(0)
    }
    for (const id of ['held', '3', '-3']) {
      const { reason, retryAfter } = await check(id)
      expect([reason, Math.ceil(retryAfter / 60)]).toEqual(['blocked', 120])
    }
  })

  it('an operator takes a block back by another spelling of its network', async () => {
    const { shell, check } = scene()
    await shell('block', '2001:DB8::/32')
    expect(await check('1', '2001:db8::1')).toMatchObject({ reason: 'blocked' })
    const other = await shell('disallow', '2001:0DB8::/32')
    expect(other.code).toBe(1)
    expect(other.out).toMatch(/was not allowed by an operator\.\nStill in force: .* block {2}2001:db8::\/32/)
    expect((await shell('unblock', 'ip:2001:0db8:0::/32')).out).toBe(
      'ip:2001:0db8:0::/32 is no longer blocked.\n',
    )
    expect(await check('1', '2001:db8::1')).toMatchObject({ reason: 'ok' })
  })

  it('a disallow tells of an entry under more ids than those that it ended', async () => {
    const { shell } = scene()
    expect((await shell('allow', 'user:x', '--ip', '203.0.113.7')).out).toMatch(
      /^Allowed user:x\+ip:203\.0\.113\.7, until .*\.\n/,
    )
    await shell('allow', 'user:x')
    await shell('allow', 'user:other')
    const { out } = await shell('disallow', 'user:x')
    expect(out).toMatch(
      /^user:x is no longer allowed\.\nStill in force: .* allow {2}user:x\+ip:203\.0\.113\.7 .*\n$/,
    )
    const again = await shell('disallow', 'user:x')
    expect(again.out).toMatch(/^user:x was not allowed by an operator\.\nStill in force: .*\n$/)
    expect((await shell('disallow', 'user:x', '--ip', '203.0.113.7')).out).toBe(
      'user:x+ip:203.0.113.7 is no longer allowed.\n',
    )
  })

  it('an operator changes the numbers of everybody, and takes them back', async () => {
    const { shell, check } = scene()
    await shell('change', 'per_user', '--limit', '1', '--policy', 'limits.mjs')
    expect((await check('7')).verdicts.find(each => each.policy === 'per_user')).toMatchObject({ limit: 1 })
    await shell('override', 'user:7', 'per_user', '--limit', '9')
    const back = await shell('revert', 'per_user', 'user:7')
    expect([back.code, back.out]).toEqual([
      0,
      expect.stringMatching(
        /^The other numbers of per_user for user:7 are taken back\.\nStill in force: .* change {2}per_user {2}limit=1 .*\n$/,
      ),
    ])
    await shell('override', 'user:7', 'per_user', '--limit', '9')
    const all = await shell('revert', 'per_user')
    expect([all.code, all.out]).toEqual([0, expect.stringContaining('Still in force: ')])
    expect(all.out).toContain('override  user:7  per_user  limit=9')
    expect((await check('8')).verdicts.find(each => each.policy === 'per_user')).toMatchObject({ limit: 2 })
    expect((await shell('revert', 'per_user')).code).toBe(1)
  })

  it('an act tells until when it holds, and which act of another operator it replaces', async () => {
    const { shell } = scene()
    const act = (name: string, ...args: string[]): Promise<HaltRun> => shell(name, 'user:7', ...args)
    const first = await act('block', '--for', '30d', '--by', 'ann', '--reason', 'fraud')
    expect(first.out).toMatch(/^Blocked user:7, until 20\d\d-.*Z\.\n/)
    expect(first.out).not.toContain('It replaces')
    const second = await act('block', '--by', 'bob')
    expect(second.out).toMatch(
      /^Blocked user:7, until somebody takes it back\.\n.*\nIt replaces: .* block {2}user:7 {2}until .* by ann {2}\(fraud\)\n$/,
    )
    await act('override', 'per_user', '--limit', '9', '--by', 'ann')
    expect((await act('override', 'per_user', '--limit', '5')).out).toMatch(
      /It replaces: .* limit=9 {2}by ann/,
    )
  })

  it('a reset tells the very commands that free the client', async () => {
    const month = { name: 'month', limit: 1, period: 'monthly', anchor: aMinuteAgo() } as const
    const keys = { name: 'per_key', limit: 5, window: '1h', keyStrategy: 'api-key' } as const
    const { shell, store, cwd } = scene([...policy, keys])
    const file = `export const policies = ${sourceOf([...policy, keys, month])}`
    writeFileSync(join(cwd, 'limits.mjs'), file)
    const reset = async (...whom: string[]): Promise<string> =>
      (await shell('reset', ...whom, '--policy', 'limits.mjs')).out
    /** Runs the command that an output tells, as a shell would. */
    const obey = async (out: string): Promise<HaltRun> => {
      const [, words = ''] = /npx @halt\/cli ([^\n]*?)(?: --policy …)?\n/.exec(out) ?? []
      const args = Array.from(words.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? '')
      return halt(args, { cwd, env: { HALT_REDIS_URL: inject('redisUrl') } })
    }
    for (const whom of [['api-key:sk_1'], ['user:a b'], ['user:42', '--ip', '203.0.113.7']]) {
      await shell('block', ...whom)
      expect([whom, (await obey(await reset(...whom))).code]).toEqual([whom, 0])
      expect(await reset(...whom)).not.toContain('Still refused')
    }
    const limiter = new RateLimiter({ store, policy: month })
    const call = await limiter.reserve({ user: '42' }, { cost: month.limit, ttl: '1m' })
    expect(await reset('user:42', '--ip', '203.0.113.7')).toContain(
      'calls that run hold the rest of the quota month',
    )
    await call.cancel()
    // The quota counts users, and the operator knows the address too.
    await new QuotaManager(store).consumeQuota('42', month)
    const out = await reset('user:42', '--ip', '203.0.113.7')
    expect(out).toContain('Still refused: the quota month is used up')
    expect((await obey(out)).out).toContain('user:42 has 1 000 units of month on top')
  })

  it('the command line refuses numbers that would change nothing, if the limits file tells so', async () => {
    const { shell } = scene([
      ...policy,
      { name: 'per_route', limit: 5, window: 60, keyStrategy: 'user', scope: 'route' },
    ])
    const file = ['--policy', 'limits.mjs']
    for (const [args, says] of [
      [['override', 'user:42', 'per_ip', '--limit', '5'], 'per_ip counts nothing under user:42'],
      [['override', '203.0.113.7', 'per_user', '--cost', '9'], 'no request could ever pass'],
      [['change', 'per_user', '--cost', '9'], 'no request could ever pass'],
    ] as const) {
      const { code, err } = await shell(...args, ...file)
      expect([code, err]).toEqual([2, expect.stringContaining(says)])
    }
    expect((await shell('history')).out).toBe('Nobody has acted.\n')
    // A user without a session is counted by the address, and numbers hold on all routes.
    expect((await shell('override', '203.0.113.7', 'per_user', '--limit', '9', ...file)).code).toBe(0)
    expect((await shell('override', 'user:42', 'per_route', '--limit', '9', ...file)).code).toBe(0)
  })

  it('the command line answers odd names and mistakes with one readable line', async () => {
    const { shell } = scene()
    expect((await shell('unblock', 'user:\u202ex\ny')).out).toContain('user:\ufffdx\ufffdy was not blocked')
    for (const [args, says] of [
      [['block', 'user:1', '--for', '-2h'], 'is ambiguous. Did you forget to specify'],
      [['block', 'user:1', '--policy='], '--policy is empty.'],
      [['block', 'user:1', '-5'], 'halt block has no option -5.'],
      [['block', 'user:1', '--until', '2099-02-31'], '--until is "2099-02-31"'],
      [
        ['block', 'user:1', '--until', '2020-01-01'],
        'until is 2020-01-01T00:00:00.000Z, not a Date in the future',
      ],
    ] as const) {
      const { code, err } = await shell(...args)
      expect([code, err]).toEqual([2, expect.stringContaining(says)])
      expect(err).not.toContain('\ufffd')
    }
    expect((await shell('block', '127.0.0.1', '--for', '1s')).err).toContain(
      '127.0.0.1 is an address of yours.',
    )
  })

  it('the command line refuses a mistake with its code, and writes nothing', async () => {
    const { shell } = scene()
    const mistakes: [string, string[]][] = [
      ['HALT_E_UNKNOWN_POLICY', ['change', 'per_usr', '--limit', '1', '--policy', 'limits.mjs']],
      ['HALT_E_COMMAND', ['block', '0.0.0.0/0']],
      ['HALT_E_COMMAND', ['block', '42']],
      ['HALT_E_COMMAND', ['block', 'user:42', '--for', '1h', '--until', '2030-01-01']],
      ['HALT_E_COMMAND', ['block', 'user:42', '--until', 'tomorrow']],
      ['HALT_E_COMMAND', ['block', 'custom:x', '--ip', '203.0.113.7']],
      ['HALT_E_COMMAND', ['change', 'per_user']],
      ['HALT_E_COMMAND', ['change', 'per_user', '--limit', 'many']],
      ['HALT_E_DURATION', ['block', 'user:42', '--for', 'long']],
      ['HALT_E_', ['change', 'per_user', '--block-duration', '0']],
      ['HALT_E_IDENTITY', ['reset', '203.0.113.0/24', '--policy', 'limits.mjs']],
      ['HALT_E_COMMAND', ['find', 'user:42', '--policy', 'limits.mjs', '--ipv6-prefix', '8']],
    ]
    for (const [error, args] of mistakes) {
      const { code, err } = await shell(...args)
      expect([code, err], args.join(' ')).toEqual([2, expect.stringContaining(error)])
    }
    expect((await shell('history')).out).toBe('Nobody has acted.\n')
  })

  it('halt find tells that no policy counts by an identity', async () => {
    const { shell } = scene()
    const { code, out } = await shell('find', 'api-key:k', '--policy', 'limits.mjs')
    expect(code).toBe(0)
    expect(out).toContain('per_user: not reachable by { apiKey }')
  })

  it('halt find tells to name the policies that a function chooses among', async () => {
    const { shell, cwd } = scene()
    writeFileSync(join(cwd, 'chooses.mjs'), 'export default () => ({ name: "a", limit: 1, window: 60 })')
    const { code, err } = await shell('find', 'user:42', '--policy', 'chooses.mjs')
    expect([code, err]).toEqual([
      3,
      expect.stringContaining('export const plans = { free: [FREE], pro: [PRO] }'),
    ])
  })

  it('halt find tells that a module without limits was run', async () => {
    const { shell, cwd } = scene()
    writeFileSync(join(cwd, 'app.mjs'), 'export const app = 1')
    const { code, err } = await shell('find', 'user:42', '--policy', 'app.mjs')
    expect([code, err]).toEqual([3, expect.stringContaining('app.mjs was run, and exports no limits.')])
    expect(err).toContain('Put the limits in a file of their own')
  })

  it('an operator sees no control characters of a reason', async () => {
    const { shell } = scene()
    await shell('block', 'user:1', '--reason', '\u001b[31mred')
    const { out } = await shell('entries')
    expect(out).toContain('red')
    expect(out).not.toContain('\u001b')
  })

  it('a block of the own address of an operator is done with a warning', async () => {
    const { shell } = scene()
    const { code, err } = await shell('block', '127.0.0.0/8', '--for', '1s')
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(
        /127\.0\.0\.0\/8 contains 127\.0\.0\.1, an address of yours\. .* ::1, .* npx @halt\/cli unblock/,
      ),
    ])
  })

  it('halt history tells that a database of Redis has a number', async () => {
    const { code, err } = await halt(['history', '--redis', `${inject('redisUrl')}/shop`])
    expect([code, err]).toEqual([2, expect.stringContaining('--redis is not an address of Redis.')])
  })

  it('halt history tells that Redis does not answer', async () => {
    const { code, err } = await halt(['history', '--redis', 'redis://127.0.0.1:1'])
    expect([code, err]).toEqual([
      3,
      expect.stringContaining('HALT_E_STORE_UNAVAILABLE: Redis at 127.0.0.1:1 does not answer'),
    ])
  })
})

describe('a pause of one limit', () => {
  const limits = [
    { name: 'tool_send_mail', limit: 20, window: 3600, keyStrategy: 'user' },
    { name: 'per_user', limit: 100, window: 3600, keyStrategy: 'user' },
    { name: 'all_mails', limit: 100, window: 3600, keyStrategy: 'shared' },
    { name: 'per_ip', limit: 100, window: 60, keyStrategy: 'ip' },
    { name: 'month', limit: 100, period: 'monthly', keyStrategy: 'user' },
  ] as const
  const file = ['--policy', 'limits.mjs']

  it('an operator refuses a user by the limit of one tool, finds it, and ends it', async () => {
    const { shell, check, store } = scene(limits)
    const limiter = new RateLimiter({ store, policy: limits[1] })
    onTestFinished(() => limiter.close())
    const paused = await shell(
      'pause',
      'user:42',
      'tool_send_mail',
      '--for',
      '2h',
      '--reason',
      'spam',
      ...file,
    )
    expect(paused).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(
        /^tool_send_mail refuses user:42 for 2h\. Other limits let it pass\.\nEnd it: npx @halt\/cli resume user:42 tool_send_mail --policy limits\.mjs --prefix \S+\n$/,
      ),
    })
    const refused = await check('42')
    expect(refused).toMatchObject({ allowed: false, policy: 'tool_send_mail' })
    expect(refused.retryAfter).toSatisfy(told => isWaitOf(7200, told))
    expect(await check('43')).toMatchObject({ allowed: true })
    expect(await limiter.consume({ user: '42' })).toMatchObject({ allowed: true })
    const found = (await shell('find', 'user:42', ...file)).out
    const [, passesIn] = /tool_send_mail .* refuses: limited until .*passes in (\d+) s/.exec(found) ?? []
    expect(passesIn, found).toSatisfy(told => isWaitOf(7200, told))
    expect(await shell('resume', 'user:42', 'tool_send_mail', ...file)).toMatchObject({ code: 0, err: '' })
    await expect.poll(async () => (await check('42')).allowed).toBe(true)
    expect(await shell('resume', 'user:42', 'tool_send_mail', ...file)).toMatchObject({
      code: 1,
      out: 'tool_send_mail had neither a pause nor a cool-down for user:42.\n',
    })
    const history = (await shell('history')).out
    expect(history).toMatch(/resume.*tool_send_mail/)
    expect(history).toMatch(/pause.*tool_send_mail.*spam/)
  })

  it('a pause without an end holds until somebody resumes it, and one may end at a date', async () => {
    const { shell, check } = scene(limits)
    expect((await shell('pause', 'user:42', 'tool_send_mail', ...file)).out).toContain(
      'until somebody resumes it',
    )
    const { retryAfter } = await check('42')
    expect(retryAfter).toBeGreaterThan(365 * 86_400)
    await shell('resume', 'user:42', 'tool_send_mail', ...file)
    // The other process may take the pause as known for up to a second.
    await expect.poll(async () => (await check('42')).allowed).toBe(true)
    const until = new Date(Date.now() + 3_600_000).toISOString()
    await shell('pause', 'user:42', 'tool_send_mail', '--until', until, ...file)
    const decision = await check('42')
    expect(decision).toMatchObject({ allowed: false })
    expect(decision.retryAfter).toBeLessThanOrEqual(3600)
  })

  it.each([
    ['month', 'month is a quota, which cannot be paused.'],
    ['all_mails', 'all_mails counts all clients together, so a pause would refuse everybody.'],
    ['per_ip', 'per_ip counts nothing under user:42'],
    ['other', 'limits.mjs has no policy "other".'],
  ])('%s cannot be paused for one user', async (name, says) => {
    const { shell, check } = scene(limits)
    const { code, err } = await shell('pause', 'user:42', name, ...file)
    expect(code).toBe(2)
    expect(err).toContain(says)
    expect((await check('42')).allowed).toBe(true)
    expect((await shell('history')).out).not.toContain('pause')
  })

  it('a pause needs the limits file', async () => {
    const { shell } = scene(limits)
    expect((await shell('pause', 'user:42', 'tool_send_mail')).err).toContain('halt pause got no --policy.')
  })
})
