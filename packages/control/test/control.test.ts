import { afterEach, describe, expect, it, vi } from 'vitest'

import { type Policy, RateLimiter, type RateLimiterOptions } from '@halt/core'
import { Control, type ControlOptions, type PolicyNumbers } from '../src/index.ts'
import { fakeOutage, ReferenceStore } from '@halt/core/testing'
import { numberOf } from '@halt/core/gate'
import { otherDocuments } from './other-documents.ts'
import { by, keyed, mistake, rejection, START, view, world } from '../../core/test/world.ts'

const api: Policy = { name: 'api', limit: 2, window: 60 }
const open: Control[] = []
afterEach(() => {
  for (const control of open.splice(0)) control.close()
  vi.useRealTimers()
})

/** A limiter under control, on a store of its own. */
function controlled(policy: RateLimiterOptions['policy'] = api, options: Partial<RateLimiterOptions> = {}) {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const { clock, store, warnings, codes, limiter } = world()
  const control = make({ store, warn: warning => void warnings.push(warning) })
  return { clock, store, codes, control, own: limiter(policy, { control, ...options }) }
}

/** A control that the test closes. */
function make(options: ControlOptions): Control {
  const control = new Control(options)
  open.push(control)
  return control
}

describe('block', () => {
  it('a block refuses a client with the exact wait, and charges nothing', async () => {
    const { control, own, clock } = controlled()
    await control.block({ ip: '203.0.113.7' }, { for: '90s', reason: 'scraping', by: 'support' })
    const decision = await own.check(view())
    expect(decision).toMatchObject({ allowed: false, reason: 'blocked', key: 'ip:203.0.113.7' })
    expect(decision.retryAfter).toBe(90)
    clock.advance('90s')
    expect(await own.check(view())).toMatchObject({ allowed: true, remaining: 1 })
  })

  it('a block without an end refuses until somebody takes it back', async () => {
    const { control, own } = controlled()
    await control.block({ user: '42' })
    expect(await own.check(by('42'))).toMatchObject({ reason: 'blocked', retryAfter: Infinity })
    expect((await own.check(by('43'))).allowed).toBe(true)
    expect(await control.unblock({ user: '42' })).toBe(true)
    expect(await control.unblock({ user: '42' })).toBe(false)
    expect((await own.check(by('42'))).allowed).toBe(true)
  })

  for (const [identity, request, other] of [
    [{ user: '42' }, by('42'), by('43')],
    [{ apiKey: 'k1' }, keyed('k1'), keyed('k2')],
    [{ ip: '203.0.113.7' }, view(), view({ ip: '203.0.113.8' })],
    [{ ip: '203.0.113.0/28' }, view(), view({ ip: '203.0.113.16' })],
    [{ ip: '2001:db8::/32' }, view({ ip: '2001:db8:5::1' }), view({ ip: '2001:db9::1' })],
    [{ user: '42', ip: '203.0.113.7' }, by('42'), by('42', { ip: '203.0.113.8' })],
  ] as const)
    it(`a block reaches requests of ${JSON.stringify(identity)}, and no others`, async () => {
      const { control, own } = controlled({ ...api, limit: 100 })
      await control.block(identity)
      expect((await own.check(request)).reason).toBe('blocked')
      expect((await own.check(other)).reason).toBe('ok')
    })

  it('a block reaches an identity in consume, peek and acquire', async () => {
    const { control, own } = controlled()
    await control.block('job')
    expect((await own.consume('job')).reason).toBe('blocked')
    expect((await own.peek('job')).reason).toBe('blocked')
    expect((await own.acquire('job')).reason).toBe('blocked')
    expect((await own.consume('other')).allowed).toBe(true)
  })

  it('a block of a client comes before a permission of another of its ids', async () => {
    const { control, own } = controlled()
    await control.allow({ ip: '203.0.113.0/24' })
    await control.block({ user: '42' })
    expect((await own.check(by('42'))).reason).toBe('blocked')
  })

  it('a block of a network gives way to the most special entry about the address', async () => {
    const { control, own } = controlled()
    await control.block({ ip: '203.0.0.0/16' })
    await control.allow({ ip: '203.0.113.0/24' })
    expect((await own.check(view())).reason).toBe('exempt')
    await control.block({ ip: '203.0.113.7' })
    expect((await own.check(view())).reason).toBe('blocked')
    expect((await own.check(view({ ip: '203.0.9.1' }))).reason).toBe('blocked')
  })

  it('a block of every address needs force', async () => {
    const { control, own } = controlled()
    expect((await rejection(control.block({ ip: '0.0.0.0/0' }))).code).toBe('HALT_E_CONTROL')
    await control.block({ ip: '0.0.0.0/0' }, { force: true })
    expect((await own.check(view())).reason).toBe('blocked')
    expect((await own.check(view({ ip: '2001:db8::1' }))).reason).toBe('ok')
    expect((await own.check(view({ path: '/health' }))).reason).toBe('exempt')
  })
})

describe('allow', () => {
  it('a permission lets a client pass uncounted', async () => {
    const { control, own } = controlled()
    await control.allow({ user: 'partner' }, { for: '30d' })
    for (let i = 0; i < 5; i++) expect(await own.check(by('partner'))).toMatchObject({ reason: 'exempt' })
    expect(await control.disallow({ user: 'partner' })).toBe(true)
    expect(await own.check(by('partner'))).toMatchObject({ reason: 'ok', remaining: 1 })
  })
})

describe('override', () => {
  const perUser: Policy = { name: 'per_user', limit: 2, window: 60, keyStrategy: 'user' }

  it('an override gives one client other numbers on the same counter', async () => {
    const { control, own, clock } = controlled(perUser)
    for (let i = 0; i < 2; i++) await own.check(by('42'))
    expect((await own.check(by('42'))).allowed).toBe(false)
    await control.override({ user: '42' }, 'per_user', { limit: 5 }, { for: '1h' })
    expect(await own.check(by('42'))).toMatchObject({ allowed: true, limit: 5, remaining: 2 })
    expect(await own.check(by('43'))).toMatchObject({ limit: 2, remaining: 1 })
    clock.advance('2h')
    expect(await own.check(by('42'))).toMatchObject({ limit: 2, remaining: 1 })
  })

  it('an override holds for the address of the common check, and for consume', async () => {
    const { control, own } = controlled()
    await own.check(view())
    await control.override({ ip: '203.0.113.7' }, 'api', { limit: 10 })
    expect(await own.check(view())).toMatchObject({ limit: 10, remaining: 8 })
    await control.override('job', 'api', { limit: 4, burst: 1 })
    expect(await own.consume('job')).toMatchObject({ limit: 4, remaining: 0 })
  })

  it('an override is taken back for one client', async () => {
    const { control, own } = controlled(perUser)
    await control.override({ user: '42' }, 'per_user', { limit: 5 })
    expect(await control.revert('per_user', { identity: { user: '43' } })).toBe(false)
    expect(await control.revert('per_user', { identity: { user: '42' } })).toBe(true)
    expect((await own.check(by('42'))).limit).toBe(2)
  })
})

describe('change', () => {
  it('a change changes a policy for everybody, keeps the counters, and is reverted', async () => {
    const { control, own } = controlled({ ...api, limit: 10 })
    for (let i = 0; i < 4; i++) await own.check(view())
    await control.change('api', { limit: 5 }, { reason: 'incident' })
    expect(await own.check(view())).toMatchObject({ allowed: true, limit: 5, remaining: 0 })
    expect((await own.check(view())).allowed).toBe(false)
    expect(await control.revert('api')).toBe(true)
    expect(await own.check(view())).toMatchObject({ allowed: true, limit: 10, remaining: 4 })
  })

  it('a change ends at its instant', async () => {
    const { control, own, clock } = controlled({ ...api, limit: 10 })
    await control.change('api', { limit: 5 }, { until: new Date(Date.now() + 60_000) })
    expect((await own.check(view())).limit).toBe(5)
    clock.advance('61s')
    expect((await own.check(view())).limit).toBe(10)
  })

  it('an override of one client comes before a change for everybody', async () => {
    const { control, own } = controlled()
    await control.change('api', { limit: 5 })
    await control.override({ ip: '203.0.113.7' }, 'api', { limit: 7 })
    expect((await own.check(view())).limit).toBe(7)
    expect((await own.check(view({ ip: '203.0.113.8' }))).limit).toBe(5)
  })

  it.each<[string, Policy, PolicyNumbers]>([
    [
      'a window of requests in flight',
      { name: 'api', limit: 2, algorithm: 'concurrency', ttl: 60 },
      { window: 5 },
    ],
    ['a burst of which headroom leaves nothing', { ...api, headroom: 0.5 }, { limit: 5, burst: 1 }],
  ])(
    'a change whose numbers do not fit the policy changes nothing, with a warning: %s',
    async (_, policy, numbers) => {
      const { control, own, codes } = controlled(policy)
      await control.change('api', numbers)
      expect(await own.check(view())).toMatchObject({ allowed: true, limit: 2 })
      expect(codes()).toEqual(['HALT_W_CONTROL_NUMBERS'])
    },
  )
})

describe('other processes', () => {
  it('other processes hold an entry within a second, and keep it while the store is away', async () => {
    vi.useFakeTimers()
    const shared = new ReferenceStore(Date.now)
    const here = make({ store: shared })
    const store = fakeOutage(shared)
    const there = make({ store, warn: () => {} })
    const own = new RateLimiter({ store, policy: api, control: there, warn: () => {} })
    await here.block({ user: '42' }, { for: '1h' })
    await vi.advanceTimersByTimeAsync(1000)
    expect((await own.check(by('42'))).reason).toBe('blocked')
    store.begin('refused')
    await vi.advanceTimersByTimeAsync(10_000)
    expect((await own.check(by('42'))).reason).toBe('blocked')
    await here.unblock({ user: '42' })
    store.end()
    await vi.advanceTimersByTimeAsync(1000)
    expect((await own.check(by('42'))).reason).not.toBe('blocked')
  })

  it('no entry is lost when many operators act at once', async () => {
    const store = new ReferenceStore(Date.now)
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => make({ store }).block({ user: `u${i}` }, { by: `operator ${i}` })),
    )
    const control = make({ store })
    expect(await control.entries()).toHaveLength(10)
    expect(await control.history()).toHaveLength(10)
  })

  for (const [what, text] of [
    ['of another version of Halt', '{"halt":2,"entries":[]}'],
    ['that is no JSON', 'oops'],
    ['with a strange entry', '{"halt":1,"entries":[{"kind":"block"}]}'],
    ['with a network that is none', '{"halt":1,"entries":[{"kind":"block","target":"999.0.0.0/8","at":1}]}'],
  ] as const)
    it(`a process keeps the last good entries beside a document ${what}, and warns once`, async () => {
      const { control, own, store, codes } = controlled()
      await control.block({ user: '42' })
      const document = store.document('control')
      const { version } = (await document.read()) ?? { version: '0' }
      await document.write(text, version)
      for (let i = 0; i < 3; i++) await control.refresh()
      expect((await own.check(by('42'))).reason).toBe('blocked')
      expect((await own.check(by('43'))).allowed).toBe(true)
      expect(codes()).toEqual(['HALT_W_CONTROL'])
    })
})

describe('entries and history', () => {
  it('entries and history tell who acted, when, why and until when, the latest first', async () => {
    const { control } = controlled()
    await control.block({ user: '42' }, { for: '1h', reason: '<b>spam</b>', by: 'ann' })
    await control.change('api', { limit: 5 }, { by: 'bob' })
    await control.unblock({ user: '42' }, { by: 'ann' })
    const [entry, ...others] = await control.entries()
    expect(others).toEqual([])
    expect(entry).toMatchObject({ kind: 'change', policy: 'api', numbers: { limit: 5 }, by: 'bob' })
    expect(
      (await control.history()).map(({ act, target, policy, by: who }) => [act, target ?? policy, who]),
    ).toEqual([
      ['unblock', 'user:42', 'ann'],
      ['change', 'api', 'bob'],
      ['block', 'user:42', 'ann'],
    ])
  })

  it('entries list an entry that was made anew after all others', async () => {
    const { control } = controlled()
    for (const user of ['42', '43', '42']) await control.block({ user })
    expect((await control.entries()).map(({ target }) => target)).toEqual(['user:43', 'user:42'])
  })

  it('an operator does not take back an entry that somebody else has replaced meanwhile', async () => {
    const { control } = controlled()
    const mine = await control.block({ user: '42' }, { for: '1h', by: 'ann' })
    const other = await control.block({ user: '42' }, { for: '30d', reason: 'fraud', by: 'bob' })
    const error = await rejection(control.unblock({ user: '42' }, { replaces: mine }))
    expect(error.code).toBe('HALT_E_CONTROL_REPLACED')
    expect(error.message).toContain('by "bob", because "fraud"')
    expect(await control.entries()).toEqual([other])
    expect(await control.unblock({ user: '42' }, { replaces: other })).toBe(true)
  })

  it('the history keeps the last 1 000 acts', async () => {
    const { control, store } = controlled()
    const acts = Array.from({ length: 1_000 }, (_, i) => ({ act: 'block', target: `user:${i}`, at: 1 }))
    await store.document('control-history').write(JSON.stringify({ halt: 1, acts }), '0')
    await control.block({ user: 'new' })
    const history = await control.history()
    expect(history).toHaveLength(1_000)
    expect([history[0]?.target, history.at(-1)?.target]).toEqual(['user:new', 'user:1'])
  })

  it('the history drops its oldest tenth where long reasons leave no room for an act', async () => {
    const { control, store } = controlled()
    const document = store.document('control-history')
    const long = 'r'.repeat(1_000)
    const acts = Array.from({ length: 990 }, (_, i) => ({
      act: 'block',
      target: `user:${i}`,
      at: 1,
      reason: long,
    }))
    await document.write(JSON.stringify({ halt: 1, acts }), '0')
    for (let i = 0; i < 3; i++) await control.block({ user: `new ${i}` }, { reason: long, by: long })
    const history = await control.history()
    expect(history).toHaveLength(993 - 100)
    expect([history[0]?.target, history.at(-1)?.target]).toEqual(['user:new 2', 'user:100'])
    expect((await document.read())?.text.length).toBeLessThanOrEqual(2 ** 20)
  })

  it('an act is tried as often as its error tells while others write the history', async () => {
    const { store } = controlled()
    const writes: string[] = []
    const overtaken = otherDocuments(store, (_, name) => ({ write: async () => void writes.push(name) }))
    const control = make({ store: overtaken })
    const error = await rejection(control.note('reset', { identity: { user: '42' } }))
    expect(error.code).toBe('HALT_E_STORE_BUSY')
    expect(error.message).toContain(`each of ${writes.length} attempts`)
  })

  it('the history tells of acts that changed only counters, as their doer noted them', async () => {
    const { control, own } = controlled()
    const what = { identity: { user: '42' }, policy: 'month', units: 100 }
    await control.note('grant', what, { by: 'ann', reason: 'their launch' })
    await control.note('reset', { identity: { user: '42' } })
    expect(await control.history()).toMatchObject([
      { act: 'reset', target: own.keyOf({ user: '42' }) },
      { act: 'grant', target: 'user:42', policy: 'month', units: 100, by: 'ann', reason: 'their launch' },
    ])
    expect(await control.entries()).toEqual([])
  })

  it('a control tells why a document cannot be read, until it can', async () => {
    const { control, store } = controlled()
    const version = await store.document('control').write('{"halt":99}', '0')
    await control.refresh()
    expect(control.problem).toBe('its form is 99, not 1')
    await store.document('control').write('', version as string)
    await control.refresh()
    expect(control.problem).toBe(undefined)
  })

  it('the document holds no API key in clear', async () => {
    const { control, store } = controlled()
    await control.block({ apiKey: 'very-secret' })
    expect((await store.document('control').read())?.text).not.toContain('very-secret')
  })

  it('the document takes at most 10 000 entries', async () => {
    const { control, store } = controlled()
    const entries = Array.from({ length: 10_000 }, (_, i) => ({ kind: 'block', target: `user:${i}`, at: 1 }))
    await store.document('control').write(JSON.stringify({ halt: 1, entries }), '0')
    expect((await rejection(control.block({ user: 'one more' }))).code).toBe('HALT_E_CONTROL_FULL')
  })

  it('the document takes as many acts that come at once as it has room for, in few writes', async () => {
    const { control, store } = controlled()
    const entries = Array.from({ length: 9_968 }, (_, i) => ({ kind: 'block', target: `user:${i}`, at: 1 }))
    await store.document('control').write(JSON.stringify({ halt: 1, entries }), '0')
    const acts = await Promise.allSettled(
      Array.from({ length: 33 }, (_, i) => control.block({ user: `new ${i}` })),
    )
    const refused = acts.flatMap((act, i) => (act.status === 'rejected' ? [[i, act.reason.code]] : []))
    expect(refused).toEqual([[32, 'HALT_E_CONTROL_FULL']])
    expect(await control.entries()).toHaveLength(10_000)
    expect(numberOf((await store.document('control').read())?.version ?? '')).toBeLessThan(10)
    await control.unblock({ user: '7' })
    await control.block({ user: 'one more' })
    expect(await control.entries()).toHaveLength(10_000)
  })
})

describe('mistakes', () => {
  it('a mistaken act rejects with a code, and changes nothing', async () => {
    const { control } = controlled()
    const calls: [string, () => Promise<unknown>][] = [
      ['HALT_E_IDENTITY', () => control.block({} as never)],
      ['HALT_E_IDENTITY', () => control.block('203.0.113.7')],
      ['HALT_E_IDENTITY', () => control.allow('2001:db8::/32')],
      ['HALT_E_CONTROL', () => control.block({ ip: '1.2.3/24' })],
      ['HALT_E_CONTROL', () => control.block({ ip: '203.0.113.7/24' })],
      ['HALT_E_CONTROL', () => control.block({ user: '1' }, { for: '1h', until: new Date() })],
      ['HALT_E_CONTROL', () => control.block({ user: '1' }, { until: new Date(0) })],
      ['HALT_E_CONTROL', () => control.block({ user: '1' }, { reason: 5 as never })],
      ['HALT_E_OPTION', () => control.block({ user: '1' }, null as never)],
      ['HALT_E_DURATION', () => control.block({ user: '1' }, { for: 'soon' })],
      ['HALT_E_UNKNOWN_FIELD', () => control.block({ user: '1' }, { because: 'x' } as never)],
      ['HALT_E_POLICY_NAME', () => control.change('', { limit: 1 })],
      ['HALT_E_CONTROL', () => control.change('api', {})],
      ['HALT_E_LIMIT', () => control.change('api', { limit: 0 })],
      ['HALT_E_UNKNOWN_FIELD', () => control.override('x', 'api', { max: 5 } as never)],
      ['HALT_E_CONTROL', () => control.note('block' as never, { identity: 'x' })],
      ['HALT_E_IDENTITY', () => control.note('reset', { identity: {} as never })],
      ['HALT_E_CONTROL', () => control.note('grant', { identity: 'x', units: Number.NaN })],
      ['HALT_E_POLICY_NAME', () => control.note('grant', { identity: 'x', policy: '' })],
    ]
    for (const [code, call] of calls) expect((await rejection(call())).code).toBe(code)
    expect(await control.entries()).toEqual([])
    expect(await control.history()).toEqual([])
  })

  it('a mistake in the options of a control throws', () => {
    const store = new ReferenceStore(Date.now)
    expect(mistake(() => new Control({ store: {} as never })).code).toBe('HALT_E_CONTROL')
    expect(mistake(() => new Control({ store, every: 5 } as never)).code).toBe('HALT_E_UNKNOWN_FIELD')
  })
})
