import { RateLimiter } from '@halt/core'
import { Admitted, type Demand, type Group, Mode, type Rule, type Terms } from '@halt/core/store'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'

import { butSlow } from '../../../tools/but-slow.ts'
import { isFull } from '../../../tools/full.ts'
import { unique } from '../../../tools/unique.ts'
import { readReply } from '../src/reply.ts'
import { RedisStore, type RedisStoreOptions, type Run } from '../src/index.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())

const prefixOf = (): string => `${unique()}:`
const plain: Run = (script, keys, args) => client.eval(script.source, keys.length, ...keys, ...args)

const CALLS = isFull ? 20 : 6

const policies = {
  bucket: { name: 'p', limit: 2, window: '1h' },
  window: { name: 'p', limit: 2, window: '1h', algorithm: 'fixed-window' },
  several: [
    { name: 'p', limit: 2, window: '1h' },
    { name: 'q', limit: 50, period: 'monthly' },
  ],
} as const

// Wrong replies, such as a client, a proxy or a wrapper gives.
const wrongs: Readonly<Record<string, (reply: any) => unknown>> = {
  '{ result }': reply => ({ result: reply }),
  'the list of a pipeline': reply => [[null, reply]],
  'one entry of a pipeline': reply => [null, reply],
  '"OK"': () => 'OK',
  '"QUEUED"': () => 'QUEUED',
  'an empty list': () => [],
  null: () => null,
  undefined: () => undefined,
  NaN: () => NaN,
  'a list of NaN': reply => reply.map(() => NaN),
  'a list of null': reply => reply.map(() => null),
  'one group too few': reply => reply.slice(0, -1),
  'one group too many': reply => [...reply, reply.at(-1)],
  'JSON text': reply => JSON.stringify(reply),
  'a list of lists': reply => reply.map((part: unknown) => [part]),
  'a clock in words': ([, ...rest]) => ['now', ...rest],
  'a group cut short': ([now, ...rest]) => [now, ...rest.map((part: unknown) => String(part).slice(0, 4))],
  'a group of flags alone': ([now, ...rest]) => [now, ...rest.map(() => '10')],
  'a group without its demands': ([now, ...rest]) => [now, ...rest.map(() => '10;')],
  'a group that owes nothing': ([now, ...rest]) => [now, ...rest.map(() => 0)],
  'the numbers of another algorithm': ([now, ...rest]) => [now, ...rest.map(() => '10;;1 0 5')],
  'an object without a prototype': () => Object.create(null) as unknown,
}

describe.each(Object.keys(policies) as (keyof typeof policies)[])(
  'a run that returns a wrong reply, %s',
  kind => {
    it.each(Object.entries(wrongs))('onStoreError decides for a wrong reply: %s', async (_, wrong) => {
      for (const [onStoreError, most] of [
        ['closed', 0],
        ['local', 2],
      ] as const) {
        const failures: unknown[] = []
        const run: Run = async (script, keys, args) => wrong(await plain(script, keys, args))
        const limiter = new RateLimiter({
          store: new RedisStore({ run, prefix: prefixOf() }),
          policy: policies[kind],
          onStoreError,
          storeTimeout: '5s',
          warn: () => {},
          telemetry: { onStoreError: error => failures.push(error) },
        })
        let admitted = 0
        for (let i = 0; i < CALLS; i++) if ((await limiter.consume({ user: '42' })).allowed) admitted++
        expect(admitted, onStoreError).toBeLessThanOrEqual(most)
        expect(failures[0]).toMatchObject({ code: 'HALT_E_STORE_SCRIPT', failure: 'script' })
      }
    })
  },
)

it('ready() reports a run that returns wrong replies, and the store never counts processes by them', async () => {
  for (const wrong of Object.values(wrongs)) {
    const run: Run = async (script, keys, args) => wrong([await plain(script, keys, args)].flat())
    const store = new RedisStore({ run, prefix: prefixOf() })
    const limiter = new RateLimiter({ store, policy: policies.bucket, warn: () => {} })
    const found = await limiter.ready()
    expect(found.map(({ code }) => code)).toEqual(['HALT_W_STORE_SCRIPT'])
    await limiter.consume({ user: '42' })
    expect(store.instances()).toBe(1)
    await expect(store.probe()).rejects.toMatchObject({ code: 'HALT_E_STORE_SCRIPT' })
  }
})

it('the store reads numbers that come as text, and text that comes as bytes', async () => {
  const forms: ((part: unknown) => unknown)[] = [String, part => Buffer.from(String(part)), part => part]
  for (const form of forms) {
    const run: Run = async (script, keys, args) => {
      const reply = await plain(script, keys, args)
      return Array.isArray(reply) ? reply.map(form) : form(reply)
    }
    for (const policy of Object.values(policies)) {
      const store = new RedisStore({ run, prefix: prefixOf() })
      const limiter = new RateLimiter({ store, policy, onStoreError: 'closed', storeTimeout: '5s' })
      expect(butSlow(await limiter.ready())).toEqual([])
      const decisions = []
      for (let i = 0; i < 4; i++) decisions.push(await limiter.consume({ user: '42' }))
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false, false])
      expect(decisions.every(({ degraded }) => degraded === false)).toBe(true)
    }
  }
})

it('the store admits no check while a shared client holds a MULTI open, and calendars go on after it', async () => {
  const shared = new Redis(inject('redisUrl'))
  await shared.ping()
  const options: RedisStoreOptions = { client: shared, connection: 'shared', prefix: prefixOf() }
  const failures: { code?: string }[] = []
  const limiter = new RateLimiter({
    store: new RedisStore(options),
    policy: policies.several,
    onStoreError: 'closed',
    storeTimeout: '5s',
    warn: () => {},
    telemetry: { onStoreError: error => failures.push(error as { code?: string }) },
  })
  expect((await limiter.consume({ user: '1' })).allowed).toBe(true)
  await shared.multi({ pipeline: false })
  const decisions = []
  for (let i = 0; i < 3; i++) decisions.push(await limiter.consume({ user: '2' }))
  expect(decisions.map(({ allowed, degraded }) => [allowed, degraded])).toEqual(
    Array(3).fill([false, 'closed']),
  )
  expect(failures[0]?.code).toBe('HALT_E_STORE_SCRIPT')
  await (shared as unknown as { discard(): Promise<unknown> }).discard()
  // The breaker probes the store again by itself.
  let decision = await limiter.consume({ user: '3' })
  while (decision.degraded !== false) {
    await new Promise(resolve => setTimeout(resolve, 20))
    decision = await limiter.consume({ user: '3' })
  }
  expect(decision.allowed).toBe(true)
  expect(Number.isFinite(decision.resetAt)).toBe(true)
  await shared.quit()
})

describe('readReply', () => {
  const rule = (code: Rule['code']): Rule => ({
    code,
    counter: `p:${code}`,
    limit: 3,
    capacity: 3,
    unit: 10,
    rate: 1,
    window: 30,
    slice: 3,
    precision: 10,
    cooldown: 0,
    reduced: undefined,
  })
  const group = (code: Rule['code'], mode: Mode = Mode.CHARGE): Group => ({
    demands: [{ rule: rule(code), subject: 's', cost: 2, mode, penalized: false }],
  })

  const withTerms = (code: Rule['code'], terms: Terms): Group => ({
    demands: [{ ...(group(code).demands[0] as Demand), terms }],
  })
  const patient = (code: Rule['code']): Group => withTerms(code, { maxWait: 8 })
  const modest = (code: Rule['code']): Group => withTerms(code, { least: 1 })

  it('readReply reads waits and grants', () => {
    const groups = [patient('f'), modest('t'), withTerms('t', { maxWait: 8, least: 1 })]
    const parts = ['00@7;;0 0 12 3', '10*1;;+30', '10@8*1;;1 0 5 18 10 1 1 5 1 0 99 0']
    expect(readReply([5, ...parts], groups, '')).toMatchObject([
      { allowed: false, startsIn: 7, grants: undefined, passes: [false], states: [[0, 12, 3]] },
      { allowed: true, startsIn: undefined, grants: [1], passes: [true] },
      { allowed: true, startsIn: 8, grants: [1], passes: [true] },
    ])
  })

  it('readReply reads a bucket that starts later by its counter, unless others may have a part of the rest', () => {
    const line = [0, 5, 38, 10, 1, 1, 5, 3, 0, 99, 1, 2, 1]
    const groups = [{ maxWait: 8 }, { maxWait: 8, headroom: 0.5 }].map(terms => withTerms('t', terms))
    const [plain, reserved] = readReply([5, ...groups.map(() => `10@8;;1 ${line.join(' ')}`)], groups, '')
    expect(plain).toEqual(new Admitted(5, rule('t'), line[2], line, 8))
    expect(reserved).toEqual({
      now: 5,
      allowed: true,
      repeated: false,
      passes: [true],
      starts: [false],
      states: [line],
      penalty: [],
      startsIn: 8,
    })
    const [admitted] = readReply([5, 20], [withTerms('t', { headroom: 0.1 })], '')
    expect(admitted).toMatchObject({ allowed: true, states: [[0, 5, 20, 10, 1]] })
    expect(admitted).not.toHaveProperty('debt')
  })

  it('readReply gives an error to the group with a wrong part, and evaluations to the others', () => {
    const groups = [group('t'), group('t'), group('f')]
    const [first, second, third] = readReply([5, 20, 'QUEUED', '10;;1 0 35 2'], groups, '')
    expect(first).toMatchObject({ allowed: true, states: [[0, 5, 20, 10, 1]] })
    expect(second).toMatchObject({ code: 'HALT_E_STORE_SCRIPT' })
    expect(third).toMatchObject({ allowed: true, states: [[0, 35, 2]] })
  })

  const both = (mode: Mode = Mode.CHARGE): Group => ({
    demands: [...group('t', mode).demands, ...group('f', mode).demands],
  })

  it('readReply reads the numbers of several counters that were charged, and of a bucket that refuses', () => {
    const watched = { ...both(), penalty: { rule: {} as never, subject: 's', mode: 0, amount: 0 } as const }
    const groups = [both(), group('t'), group('f'), watched, group('t')]
    const found = readReply([5, 20, 35, 2, -4, 25, 35, 3, 20, 36, 2, 30], groups, '')
    expect(found).toMatchObject([
      {
        allowed: true,
        passes: [true, true],
        states: [
          [0, 5, 20, 10, 1],
          [0, 35, 2],
        ],
        penalty: [],
      },
      { allowed: false, passes: [false], states: [[0, 4, 25, 10, 1]] },
      { allowed: true, passes: [true], states: [[0, 35, 3]] },
      {
        allowed: true,
        passes: [true, true],
        states: [
          [0, 5, 20, 10, 1],
          [0, 36, 2],
        ],
        penalty: [],
      },
      { allowed: true, debt: 30, states: [[0, 5, 30, 10, 1]] },
    ])
  })

  it('reads the numbers of counters with many numbers', () => {
    const groups = [
      group('s'),
      group('c'),
      withTerms('q', { keptFor: 9 }),
      { demands: [...group('q').demands, ...both().demands] },
    ]
    const found = readReply(
      [5, 4, 20, 1, 35, 2, 2, 35, 2, 35, -4, 0, 0, 33, 2, 35, -2, 2, 1, 20, 36, 2],
      groups,
      '',
    )
    expect(found).toMatchObject([
      { allowed: true, passes: [true], states: [[0, 20, 1, 35, 2]] },
      { allowed: true, passes: [true], states: [[0, 35, 2]] },
      { allowed: true, passes: [true], states: [[0, 35, 0, 0, 33, 2]] },
      {
        allowed: true,
        states: [
          [0, 35, 2, 1],
          [0, 5, 20, 10, 1],
          [0, 36, 2],
        ],
      },
    ])
  })

  it.each([
    ['fewer sub-windows than it says', group('s'), [4, 20, 1, 35]],
    ['half a sub-window', group('s'), [3, 20, 1, 35]],
    ['no sub-window', group('s'), [0]],
    ['a negative count of a sub-window', group('s'), [2, 35, -2]],
    ['a list that no sliding window fills', group('s'), [4000, ...Array<number>(4000).fill(9)]],
    ['the sub-windows of a peek', group('s', Mode.PEEK), [2, 35, 2]],
    ['half a hold', withTerms('q', { keptFor: 9 }), [35, -3, 0, 0, 33]],
    ['holds of a quota that has ended', withTerms('q', { keptFor: 9 }), [5, -4, 0, 0, 33, 2]],
    ['a window that has ended', both(), [20, 5, 2]],
    ['a count below the charge', both(), [20, 35, 1]],
    ['a count above the limit', both(), [20, 35, 4]],
    ['a debt above the capacity beside a window', both(), [31, 35, 2]],
    ['the numbers of a peek', both(Mode.PEEK), [20, 35, 2]],
    [
      'the numbers of two counters for three',
      { demands: [...both().demands, ...group('f').demands] },
      [20, 35, 2],
    ],
    [
      'numbers for a sliding window',
      { demands: [...group('t').demands, ...group('s').demands] },
      [20, 35, 2],
    ],
    ['the numbers of an empty group', { demands: [] }, [20]],
    ['a refusal from the future', group('t'), [-6, 25]],
    ['a refusal that is none', group('t'), [-5, 10]],
    ['a refusal by a debt that was paid back', group('t'), [0, 15]],
    ['a refusal of a window', group('f'), [-5, 25]],
    ['a refusal of a settlement', group('t', Mode.SETTLE), [-5, 25]],
    ['a refusal without a debt', group('t'), [-5]],
    ['a refusal of two counters', both(), [-5, 25]],
  ])('readReply rejects %s', (_, asked: Group, parts) => {
    const read = (): unknown => readReply([5, ...parts], [asked], '')
    let found: unknown
    try {
      found = read()
    } catch (error) {
      found = [error]
    }
    expect(found).toMatchObject([{ code: 'HALT_E_STORE_SCRIPT' }])
  })

  it('readReply reads one number as debt and rest of the clock if the call expected a second', () => {
    const now = 1_700_000_000_000_042
    for (const number of [20_000_042, '20000042', Buffer.from('20000042')])
      expect(readReply(number, [group('t')], '1700000000')).toMatchObject([{ allowed: true, now, debt: 20 }])
    expect(readReply([now, 20], [group('t')], '1700000000')).toMatchObject([{ allowed: true, now, debt: 20 }])
    // The largest debt that the script tells so, just before the next second.
    const { demands } = group('t')
    const wide = { demands: [{ ...demands[0]!, rule: { ...rule('t'), capacity: 9e8 } }] }
    expect(readReply(8_999_999_999_999_999, [wide], '17')).toMatchObject([
      { now: 17_999_999, debt: 8_999_999_999 },
    ])
  })

  it.each([
    ['without a debt', 42, [group('t')]],
    ['with a debt below the charge', 19_000_042, [group('t')]],
    ['with a debt above the capacity', 31_000_042, [group('t')]],
    ['that is negative', -20_000_042, [group('t')]],
    ['for a window', 20_000_042, [group('f')]],
  ])('readReply rejects one number %s', (_, number, asked) => {
    expect(() => {
      const [found] = readReply(number, asked, '1700000000')
      throw found as Error
    }).toThrow(/cannot have given this reply/)
  })

  it('readReply rejects one number for several groups, and for a call that expected no second', () => {
    expect(() => readReply(20_000_042, [group('t'), group('t')], '1700000000')).toThrow('this reply: number')
    expect(() => readReply(20_000_042, [group('t')], '')).toThrow('this reply: number')
  })

  it('readReply rejects a reply with more numbers than the groups have counters', () => {
    expect(() => readReply([5, 20, 20], [group('t')], '')).toThrow('a list of 3')
  })

  it.each([
    ['a debt below the charge', group('t'), 19],
    ['a debt above the capacity', group('t'), 31],
    ['a debt for a window', group('f'), 20],
    ['a debt for a peek', group('t', Mode.PEEK), 20],
    ['a debt with a fraction', group('t'), 20.5],
    ['an admission that its demand contradicts', group('f'), '10;;0 0 35 2'],
    ['a refusal that its demand contradicts', group('f'), '00;;1 0 35 2'],
    ['a wait of a caller that has none', group('t'), '00@7;;0 0 4 25 10 1'],
    ['a wait beyond that of the caller', patient('t'), '10@9;;1 0 5 40 10 1'],
    ['a wait that is no number', patient('t'), '00@;;0 0 4 25 10 1'],
    ['a place in a window', patient('f'), '10@7;;1 0 35 2'],
    ['a wait beside a cool-down', patient('t'), '00@7;;2 0 4 25 10 1'],
    ['grants of a group that is refused', modest('t'), '00*1;;0 0 4 25 10 1'],
    ['grants for a demand that accepts its cost alone', group('t'), '10*2;;1 0 5 20 10 1'],
    ['no grants', modest('t'), '10;;1 0 5 20 10 1'],
    ['more units than the cost', modest('t'), '10*3;;1 0 5 30 10 1'],
    ['fewer units than the least', modest('t'), '10*0;;1 0 4 25 10 1'],
    ['too many grants', modest('t'), '10*1 1;;1 0 5 10 10 1'],
    ['the number of a bucket whose grant it does not tell', modest('t'), 20],
    ['a repeat without an idempotency key', group('f'), '11;;1 0 35 2'],
    ['a penalty without a penalty demand', group('f'), '10;1 2 3 4 5 6;1 0 35 2'],
    ['too few numbers of a line', group('t'), '10;;1 0 5 38 10 1 1 5 3 0 99'],
    ['half a hole', group('t'), '10;;1 0 5 38 10 1 1 5 3 0 99 1 2'],
    ['parts of a bucket that Halt does not know', group('t'), '10;;1 0 5 38 10 1 2 5 3 0 99 1'],
    ['too few numbers of a window', group('f'), '10;;1 0 35'],
    ['an even number of sub-windows', group('s'), '10;;1 0 35'],
    ['numbers that are not numbers', group('f'), '10;;1 0 nan 2'],
    ['numbers beyond the safe integers', group('f'), '10;;1 0 99999999999999999999 2'],
    ['endless numbers', group('s'), `10;;1 0 35 ${'9'.repeat(400)}`],
  ])('readReply rejects a reply with %s', (_, asked, part) => {
    expect(readReply([5, part], [asked], '')).toMatchObject([{ code: 'HALT_E_STORE_SCRIPT' }])
  })

  it('readReply passes the error of the script on', () => {
    const part = '!NOPERM No permissions to access a key'
    expect(readReply([5, part], [group('t')], '')).toMatchObject([{ code: 'HALT_E_STORE_PERMISSION' }])
  })
})
