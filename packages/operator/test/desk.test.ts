import { Control, Reports } from '@halt/control'
import { LoggingTelemetry, type Policy, type Quota, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { afterEach, describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { Recorder } from '../src/watch/recorder.ts'
import { readNumbers, writeNumbers } from '../src/watch/report.ts'
import { openSite, PER_USER, type Site } from './site.ts'

let site: Site
afterEach(() => site.close())

/** Carries an act out, as an operator who confirms does. */
const act = (body: object) => site.call('act', { reason: 'a test', confirmed: true, ...body })
const find = (whom: object) => site.call('find', { whom })

describe('find', () => {
  it('find tells every counter of a client, a quota with its grants, and what cannot be reached', async () => {
    site = await openSite({ reveal: true })
    await site.ask('42', 8)
    await act({ act: 'grant', whom: { user: '42' }, policy: 'month', units: 3 })
    await site.control.block({ ip: '203.0.113.0/24' }, { for: '1h', reason: 'not this client' })
    const { status, body } = await find({ user: '42' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ who: 'user:42', entries: [] })
    const [limiter] = body['limiters']
    expect(limiter).toMatchObject({
      allowed: false,
      reason: 'limited',
      degraded: false,
      unreachable: [{ policy: 'per_address', reachedBy: '{ ip }' }],
      penalty: { violations: 3, isActive: false },
    })
    const policy = (name: string) => limiter.policies.find((each: any) => each.policy === name)
    expect(policy('per_user')).toMatchObject({
      allowed: false,
      limit: 5,
      remaining: 0,
      key: 'user:42',
      counters: [{ counter: 'own', used: 5, limit: 5, blockedUntil: 0 }],
    })
    expect(policy('per_user').retryAfter).toBeGreaterThan(0)
    expect(policy('month')).toMatchObject({
      remaining: 6,
      quota: { used: 5, limit: 8, granted: 3 },
    })
  })

  it('find tells what a client gets of a limit that tenants share, and that the rest is for others', async () => {
    const shared = {
      name: 'backend',
      limit: 4,
      window: '1h',
      keyStrategy: 'shared',
      fair: { by: 'user' },
    } as const
    site = await openSite({ reveal: true }, [shared])
    await site.ask('42', 4)
    const backend = async (user: string) => {
      const { body } = await find({ user })
      return body['limiters'][0].policies.find((each: any) => each.policy === 'backend')
    }
    expect(await backend('42')).toMatchObject({
      key: 'user:42',
      fair: { weight: 1, isScarce: true },
      counters: [{ counter: 'own' }, { counter: 'share' }],
    })
    expect((await backend('42')).fair.ahead).toBeGreaterThan(0)
    expect((await backend('43')).fair.ahead).toBeLessThanOrEqual(0)
  })

  it('find tells the entries about an address, its networks among them', async () => {
    site = await openSite({ reveal: true })
    await site.control.block({ ip: '203.0.113.0/24' }, { reason: 'scraping', by: 'ben' })
    await site.control.block({ ip: '198.51.100.0/24' })
    const { body } = await find({ ip: '203.0.113.7' })
    expect(body['entries']).toMatchObject([{ kind: 'block', target: '203.0.113.0/24', by: 'ben' }])
    expect((await find({ ip: '203.0.113.0/24' })).body['limiters']).toEqual([])
  })

  it('find tells the entry about a network, however it is spelled', async () => {
    site = await openSite({ reveal: true })
    await site.control.block({ ip: '2001:db8::/32' })
    const { body } = await find({ ip: '2001:0DB8:0::/32' })
    expect(body['entries']).toMatchObject([{ kind: 'block', target: '2001:db8::/32' }])
  })

  it('find charges nothing', async () => {
    site = await openSite()
    for (let i = 0; i < 6; i++) await find({ user: '42' })
    expect((await site.limiter.peek({ user: '42' })).remaining).toBe(5)
  })

  it('find explains each policy that a function may choose', async () => {
    const store = new InMemoryStore()
    const other = new RateLimiter({ store, policy: () => PER_USER })
    site = await openSite()
    const { control } = site
    const second = await openSite({ limiters: [{ limiter: other, policies: [PER_USER] }], control })
    await other.consume({ user: '42' }, { policy: PER_USER })
    const { body } = await second.call('find', { whom: { user: '42' } })
    expect(body['limiters'][0]).toMatchObject({
      allowed: true,
      policies: [{ policy: 'per_user', remaining: 4 }],
    })
    await second.close()
    const third = await openSite({ limiters: [other], control })
    const unknown = await third.call('find', { whom: { user: '42' } })
    expect(unknown.body['limiters'][0].error.code).toBe('HALT_E_POLICY_REQUIRED')
    await third.close()
  })
})

describe('an act', () => {
  it('an act only tells what it will do until it is confirmed', async () => {
    site = await openSite()
    const block = { act: 'block', whom: { ip: '127.0.0.0/8' }, for: '2h', reason: 'scraping' }
    const told = await site.call('act', block)
    expect(told.body).toMatchObject({
      done: false,
      warnings: [/Your own address 127\.0\.0\.1/, /16,777,216/],
    })
    expect(told.body['says']).toBe('Every process refuses every request of 127.0.0.0/8, for 2h.')
    expect(await site.control.entries()).toEqual([])
    expect((await site.call('act', { ...block, confirmed: true })).body['done']).toBe(true)
    expect(await site.control.entries()).toMatchObject([{ by: 'ann', reason: 'scraping' }])
  })

  it.each([
    ['203.0.0.0/15', 'The network has 131,072 addresses.'],
    ['203.0.113.0/24', undefined],
    ['2001:db8::/48', undefined],
    ['2001:db8::/32', 'The network has 16,777,216 subscribers of IPv6, each with a /56.'],
    [
      '2a00::/12',
      'The network has 17,592,186,044,416 subscribers of IPv6, each with a /56, more than the network of one owner.',
    ],
    ['2000::/3', /^The network has 9,007,199,254,740,992 subscribers/],
    ['::/1', /^The network has 36,028,797,018,963,968 subscribers/],
    ['::/0', /, all that there are\.$/],
  ])('an act warns of the size of the network %s: %s', async (ip, warning) => {
    site = await openSite()
    for (const name of ['block', 'allow']) {
      const { body } = await act({ act: name, whom: { ip }, confirmed: false })
      expect(body['warnings']).toEqual(
        warning === undefined ? [] : [typeof warning === 'string' ? warning : expect.stringMatching(warning)],
      )
    }
    expect(await site.control.entries()).toEqual([])
  })

  it('an act warns of a policy that no limiter has, and of an entry that it replaces', async () => {
    site = await openSite()
    const numbers = { act: 'override', whom: { user: '42' }, policy: 'per_usr', numbers: { limit: 9 } }
    expect((await act({ ...numbers, confirmed: false })).body['warnings']).toEqual([
      expect.stringContaining('"per_usr"'),
    ])
    await site.control.allow({ user: '42' }, { reason: 'partner', by: 'ben' })
    const again = await act({ act: 'allow', whom: { user: '42' }, confirmed: false })
    expect(again.body['warnings']).toEqual(['It replaces an entry (allow) of ben: partner.'])
    // The permission counts again after the block.
    const block = await act({ act: 'block', whom: { user: '42' }, confirmed: false })
    expect(block.body['warnings']).toEqual([])
  })

  it('find blames no counter for the block of an operator', async () => {
    site = await openSite({ reveal: true })
    await site.ask('42', 2)
    await site.control.block({ user: '42' }, { for: '1h' })
    const [limiter] = (await find({ user: '42' })).body['limiters']
    expect(limiter).toMatchObject({ allowed: false, reason: 'blocked' })
    for (const policy of limiter.policies)
      expect(policy).toMatchObject({ allowed: true, exemption: 'an operator blocks the client' })
  })

  it('find shows the block of a client, whichever policies count it, and calls no policy off for it', async () => {
    const limiter = (control: Control, store: InMemoryStore, policy: Policy[]): RateLimiter =>
      new RateLimiter({ store, control, policy, warn: () => {} })
    const store = new InMemoryStore()
    const control = new Control({ store, warn: () => {} })
    const company: Policy = { name: 'company', limit: 600, window: '1h', keyExtractor: () => 'acme' }
    const strict: Policy = { ...PER_USER, name: 'strict', onMissingKey: 'deny' }
    const limiters = [limiter(control, store, [company, PER_USER]), limiter(control, store, [strict])]
    site = await openSite({ control, limiters, reveal: true })
    await control.block({ user: '42' })
    await control.block({ ip: '203.0.113.7' })
    const [first] = (await find({ user: '42' })).body['limiters']
    // The counter of the company is not the user's.
    expect(first.policies).toMatchObject([{ policy: 'per_user', exemption: 'an operator blocks the client' }])
    expect(first.policies[0].mode).toBeUndefined()
    const [, second] = (await find({ ip: '203.0.113.7' })).body['limiters']
    expect(second).toMatchObject({ allowed: false, reason: 'blocked', policies: [] })
    expect(second.error).toBeUndefined()
    control.close()
  })

  it('a revert says which numbers hold on when others are taken back', async () => {
    site = await openSite({ reveal: true })
    await site.control.change('per_user', { limit: 3 })
    await site.control.override({ user: '42' }, 'per_user', { limit: 9 })
    await site.control.override({ user: '7' }, 'per_user', { limit: 9 })
    const revert = async (body: object): Promise<string> =>
      (await act({ act: 'revert', policy: 'per_user', ...body })).body['says']
    expect(await revert({ whom: { user: '42' } })).toBe(
      'The other numbers of per_user for user:42 are taken back. It has limit 3 for everybody.',
    )
    expect(await revert({})).toBe(
      'The other numbers of per_user for everybody are taken back. One client keeps numbers of its own.',
    )
    expect(await revert({})).toBe('per_user had no other numbers for everybody.')
  })

  it('an act warns of useless numbers, of those of another operator, and of units that end soon', async () => {
    const hour: Quota = { name: 'hour', limit: 5, period: 'hourly', anchor: aMinuteAgo() }
    site = await openSite({ reveal: true }, [hour, { name: 'routes', limit: 9, window: 60, scope: 'route' }])
    const warnings = async (body: object): Promise<string[]> =>
      (await act({ whom: { user: '42' }, ...body, confirmed: false })).body['warnings']
    const other = (policy: string, numbers: object, more = {}): Promise<string[]> =>
      warnings({ act: 'override', policy, numbers, ...more })
    expect(await other('per_user', { limit: 9 })).toEqual([])
    expect(await other('per_address', { limit: 9 })).toEqual([
      'per_address counts nothing under user:42, so this changes nothing. It is reached by { ip }.',
    ])
    // Requests without a user are counted by their address.
    expect(await other('per_user', { limit: 9 }, { whom: { ip: '203.0.113.7' } })).toEqual([])
    expect(await other('routes', { limit: 9 }, { whom: { ip: '203.0.113.7' } })).toEqual([])
    const misfit = 'The policy keeps its own numbers, because it cannot have these.'
    expect(await other('month', { window: '5m' })).toEqual([expect.stringContaining(misfit)])
    const change = { act: 'change', whom: undefined, policy: 'per_user' }
    expect(await warnings({ ...change, numbers: { cost: 9 } })).toEqual([expect.stringContaining(misfit)])
    await site.control.change('per_user', { limit: 3 }, { by: 'ben', reason: 'slow' })
    expect(await warnings({ ...change, numbers: { limit: 4 } })).toEqual([
      'It replaces an entry (change) of ben: slow.',
    ])
    const grant = (policy: string): Promise<string[]> => warnings({ act: 'grant', policy, units: 5 })
    expect(await grant('hour')).toEqual([
      expect.stringMatching(/^The period ends at 20.*Z, and the units end with it\.$/),
    ])
    expect(await grant('month')).toEqual([])
  })

  it.each([
    [{ act: 'block', whom: { user: '42' }, for: '2h' }, [{ kind: 'block', target: 'user:42' }]],
    [{ act: 'allow', whom: { ip: '10.0.0.0/8' } }, [{ kind: 'allow', target: '10.0.0.0/8' }]],
    [
      { act: 'override', whom: { user: '42' }, policy: 'per_user', numbers: { limit: 50 } },
      [{ kind: 'override', target: 'user:42', numbers: { limit: 50 } }],
    ],
    [
      { act: 'change', policy: 'per_user', numbers: { limit: 2 } },
      [{ kind: 'change', numbers: { limit: 2 } }],
    ],
  ])('the undo of the answer takes back %j', async (call, entries) => {
    site = await openSite()
    const done = await act(call)
    expect(await site.control.entries()).toMatchObject(entries)
    const undone = await act(done.body['undo'])
    expect(undone.status).toBe(200)
    expect(await site.control.entries()).toEqual([])
    // And the other way round: the end of an entry is taken back too.
    await act(undone.body['undo'])
    expect(await site.control.entries()).toMatchObject(entries)
  })

  it('the undo of an act that replaced an entry brings that entry back', async () => {
    site = await openSite()
    await act({ act: 'allow', whom: { user: '42' }, for: '3d' })
    const [before] = await site.control.entries()
    const { body } = await act({ act: 'allow', whom: { user: '42' }, for: '1h' })
    await act((await act({ act: 'block', whom: { user: '42' } })).body['undo'])
    await act(body['undo'])
    expect(await site.control.entries()).toMatchObject([{ kind: 'allow', until: before?.until }])
  })

  it('the undo of an act is refused, and says whose entry stands there, if another one does', async () => {
    site = await openSite()
    const mine = await act({ act: 'block', whom: { user: '42' }, for: '1h' })
    const stranger = { by: 'bob', reason: 'fraud' }
    await site.control.block({ user: '42' }, { for: '30d', ...stranger })
    expect(await act(mine.body['undo'])).toMatchObject({
      status: 409,
      body: {
        error: {
          code: 'HALT_E_CONTROL_REPLACED',
          message: 'Another entry stands there now: by "bob", because "fraud".',
        },
      },
    })
    expect(await site.control.entries()).toMatchObject([stranger])
    // So is the undo of an end, and one whose entry somebody has taken back.
    const ended = await act({ act: 'unblock', whom: { user: '42' } })
    await site.control.block({ user: '42' }, stranger)
    expect((await act(ended.body['undo'])).status).toBe(409)
    await site.control.override({ user: '42' }, 'per_user', { limit: 7 }, stranger)
    const numbers = await act({
      act: 'override',
      whom: { user: '42' },
      policy: 'per_user',
      numbers: { limit: 9 },
    })
    await site.control.revert('per_user', { identity: { user: '42' }, by: 'bob' })
    expect(await act(numbers.body['undo'])).toMatchObject({
      status: 409,
      body: { error: { message: 'Somebody has taken the entry back meanwhile.' } },
    })
    expect(await site.control.entries()).toMatchObject([{ kind: 'block', ...stranger }])
  })

  it('the undo of an act names no client where keys are digests', async () => {
    site = await openSite()
    await site.ask('secret-42')
    const { who } = (await find({ user: 'secret-42' })).body
    const { body } = await act({ act: 'block', whom: who })
    expect(JSON.stringify(body)).not.toContain('secret-42')
    expect((await act(body['undo'])).status).toBe(200)
    expect(await site.control.entries()).toEqual([])
  })

  it('an act warns of a limiter that does not read what it sets', async () => {
    const store = new InMemoryStore()
    const control = new Control({ store, warn: () => {} })
    const elsewhere = new Control({ store: new InMemoryStore(), warn: () => {} })
    const limiterOf = (name: string, own?: Control): RateLimiter =>
      new RateLimiter({ store, control: own, policy: { name, limit: 1, window: 1 }, warn: () => {} })
    const again = new Control({ store, warn: () => {} })
    const limiters = [
      limiterOf('a', control),
      limiterOf('b'),
      limiterOf('c', elsewhere),
      limiterOf('d', again),
    ]
    site = await openSite({ control, limiters })
    for (const each of [control, elsewhere, again]) each.close()
    expect((await act({ act: 'block', whom: { user: '42' }, confirmed: false })).body['warnings']).toEqual([
      'The limiter of b does not read this: it has no Control.',
      'The limiter of c does not read this: it has a Control on another store or prefix.',
    ])
  })

  it('an operator resets, grants once, takes the grant back and forgives, and the history tells it', async () => {
    site = await openSite({ reveal: true })
    await site.ask('42', 9)
    const reset = { act: 'reset', whom: { user: '42' }, reason: 'their bug' }
    const left =
      'The reset does not reach per_address (reached by { ip }), which may still refuse the client.'
    expect((await act({ ...reset, confirmed: false })).body['warnings']).toEqual([left])
    expect((await act(reset)).body).toMatchObject({
      done: true,
      says: `1 counter of user:42 was reset. ${left}`,
    })
    expect((await site.limiter.peek({ user: '42' })).allowed).toBe(true)

    const grant = { act: 'grant', whom: { user: '42' }, policy: 'month', units: 4, token: 'one form' }
    await act(grant)
    const granted = await act(grant)
    expect(granted.body['says']).toBe('user:42 has 4 units of month on top in this period, and 7 left.')
    await site.ask('42', 2)
    const undone = await act(granted.body['undo'])
    expect(undone.body['says']).toBe(
      '4 granted units of month were taken back from user:42; 0 stay, and 1 are left.',
    )
    // The undo leaves what was used, so the bill is right; twice sent, it counts once.
    const [{ policies }] = (await find({ user: '42' })).body['limiters']
    expect(policies.at(-1).quota).toMatchObject({ used: 7, granted: 0 })
    for (const again of [granted.body['undo'], { ...granted.body['undo'], units: 100 }])
      expect(await act(again)).toMatchObject({ status: 400, body: { error: { code: 'HALT_E_OPERATOR' } } })
    expect((await act(undone.body['undo'])).body['says']).toContain('has 4 units of month on top')
    await act({ act: 'ungrant', whom: { user: '42' }, policy: 'month', units: 9 })

    await act({ act: 'forgive', whom: { user: '42' } })
    expect((await find({ user: '42' })).body['limiters'][0].penalty.violations).toBe(0)
    const { body } = await site.call('standing')
    expect(body['history'].map(({ act: name, units }: any) => [name, units])).toEqual([
      ['forgive', undefined],
      ['ungrant', 4],
      ['grant', 4],
      ['ungrant', 4],
      ['grant', 4],
      ['reset', 1],
    ])
    expect(body['history'].at(-1)).toMatchObject({ target: 'user:42', by: 'ann', reason: 'their bug' })
  })

  it('an operator grants more for today alone, by a limit that an undo takes back', async () => {
    site = await openSite({ reveal: true })
    await site.ask('42', 3)
    const grant = { act: 'grant', whom: { user: '42' }, policy: 'month', units: 100, for: 'today' }
    expect((await act({ ...grant, confirmed: false })).body['says']).toBe(
      'user:42 gets 100 units more of month, for today; then its limit is what it was.',
    )
    const granted = await act(grant)
    expect(granted.body['says']).toMatch(/^user:42 has 100 units of month more, limit 108, until .*T00:00Z\./)
    const [entry] = await site.control.entries()
    expect(entry).toMatchObject({ kind: 'override', numbers: { limit: 108 }, target: 'user:42' })
    expect(entry!.until! % 86_400_000).toBe(0)
    expect(entry!.until! - Date.now()).toBeLessThanOrEqual(86_400_000)
    expect((await act(grant)).body['error']).toMatchObject({
      message: 'user:42 has numbers of its own for month, limit 108, which would be lost.',
      fix: expect.stringContaining('a limit of 208 by override'),
    })
    await act(granted.body['undo'])
    expect(await site.control.entries()).toEqual([])
  })

  it('a reset of one policy says nothing of others, and one of all says what it does not reach', async () => {
    site = await openSite({ reveal: true })
    await site.ask('42')
    const reset = { act: 'reset', whom: { user: '42' } }
    expect((await act({ ...reset, policy: 'per_user' })).body['says']).toBe('1 counter of user:42 was reset.')
    for (let i = 0; i < 2; i++)
      expect((await act(reset)).body['says']).toContain('does not reach per_address')
  })

  it('an error lists the acts for an unknown one, and a key in a text names its client', async () => {
    site = await openSite()
    const { body } = await site.call('act', { act: 'free', whom: { user: '42' } })
    expect(body['error']).toMatchObject({
      message: 'The act is "free".',
      fix: /^Choose one of block, .*reset/,
    })
    const text = await act({ act: 'block', whom: 'user:ann+ip:203.0.113.7', confirmed: true })
    expect(text.body['says']).toContain('is blocked')
    expect(await site.control.entries()).toMatchObject([{ target: 'user:ann+ip:203.0.113.7' }])
    expect((await act({ act: 'reset', whom: 'ann' })).body['error'].fix).toContain('{ user: "42", ip:')
  })

  it.each([
    ['no reason', { act: 'block', whom: { user: 'x' }, reason: ' ' }, 'HALT_E_OPERATOR'],
    ['a long reason', { act: 'block', whom: { user: 'x' }, reason: 'x'.repeat(1001) }, 'HALT_E_CONTROL'],
    ['an unknown act', { act: 'destroy', whom: { user: 'x' } }, 'HALT_E_OPERATOR'],
    ['the name of a built-in', { act: 'constructor', whom: { user: 'x' } }, 'HALT_E_OPERATOR'],
    ['nobody', { act: 'block' }, 'HALT_E_OPERATOR'],
    ['a list for somebody', { act: 'block', whom: ['x'] }, 'HALT_E_OPERATOR'],
    ['a number for somebody', { act: 'block', whom: { user: 7 } }, 'HALT_E_OPERATOR'],
    ['two ids that name nobody', { act: 'block', whom: { user: 'x', custom: 'y' } }, 'HALT_E_IDENTITY'],
    ['a broken network', { act: 'block', whom: { ip: '203.0.113.7/99' } }, 'HALT_E_CONTROL'],
    ['every address', { act: 'block', whom: { ip: '0.0.0.0/0' } }, 'HALT_E_CONTROL'],
    ['a broken duration', { act: 'block', whom: { user: 'x' }, for: 'soon' }, 'HALT_E_DURATION'],
    ['an end in the past', { act: 'block', whom: { user: 'x' }, until: 1 }, 'HALT_E_CONTROL'],
    ['an end that is no instant', { act: 'block', whom: { user: 'x' }, until: 1e300 }, 'HALT_E_CONTROL'],
    ['a field that nobody knows', { act: 'block', whom: { user: 'x' }, wohm: 1 }, 'HALT_E_UNKNOWN_FIELD'],
    ['no numbers', { act: 'change', policy: 'per_user' }, 'HALT_E_OPERATOR'],
    ['empty numbers', { act: 'change', policy: 'per_user', numbers: {} }, 'HALT_E_CONTROL'],
    ['null for numbers', { act: 'change', policy: 'per_user', numbers: null }, 'HALT_E_OPERATOR'],
    ['a wrong number', { act: 'change', policy: 'per_user', numbers: { limit: -1 } }, 'HALT_E_LIMIT'],
    ['a wrong name', { act: 'change', policy: '<b>', numbers: { limit: 1 } }, 'HALT_E_POLICY_NAME'],
    ['no policy', { act: 'change', numbers: { limit: 1 } }, 'HALT_E_OPERATOR'],
    ['no quota', { act: 'grant', whom: { user: 'x' }, policy: 'per_user', units: 1 }, 'HALT_E_OPERATOR'],
    ['no units', { act: 'grant', whom: { user: 'x' }, policy: 'month' }, 'HALT_E_OPERATOR'],
    [
      'units below zero',
      { act: 'grant', whom: { user: 'x' }, policy: 'month', units: -1 },
      'HALT_E_OPERATOR',
    ],
    [
      'a part of a unit',
      { act: 'grant', whom: { user: 'x' }, policy: 'month', units: 1.5 },
      'HALT_E_OPERATOR',
    ],
    ['a key that nobody has shown', { act: 'block', whom: 'user #x' }, 'HALT_E_OPERATOR'],
  ])('an act with %s gets a code, and does nothing', async (_name, body, code) => {
    site = await openSite()
    const answer = await act(body)
    expect([answer.status, answer.body['error'].code]).toEqual([400, code])
    expect(answer.body['error'].fix).not.toBe('')
    expect(await site.control.entries()).toEqual([])
    expect(await site.control.history()).toEqual([])
  })

  it.each(['', '{', '[]', 'null', '7', `{"reason":"${'x'.repeat(70_000)}"}`])(
    'an act with the body %.20j gets a code',
    async body => {
      site = await openSite()
      const answer = await site.call('act', body)
      expect([answer.status, answer.body['error'].code]).toEqual([400, 'HALT_E_OPERATOR'])
    },
  )

  it('acts of operators at once lose nothing', async () => {
    site = await openSite()
    const users = Array.from({ length: 12 }, (_, i) => ({ user: `u${i}` }))
    const answers = await Promise.all(users.map(whom => act({ act: 'block', whom })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await site.control.entries()).toHaveLength(12)
    expect(await site.control.history()).toHaveLength(12)
  })
})

describe('keys', () => {
  it('keys are digests on the page, and a digest finds the client and ends its block', async () => {
    site = await openSite()
    await site.call('feed')
    await site.ask('secret-customer', 6)
    const { body } = await site.call('feed')
    const { key } = body['refused'][0]
    expect(key).toMatch(/^user #[\w-]{8}$/)
    await act({ act: 'block', whom: key, for: '1h' })
    expect(await site.control.entries()).toMatchObject([{ target: 'user:secret-customer' }])
    const pages = await Promise.all([
      site.call('feed'),
      site.call('standing'),
      site.call('find', { whom: key }),
    ])
    for (const page of pages) expect(JSON.stringify(page.body)).not.toContain('secret-customer')
    expect(pages[2].body['entries']).toMatchObject([{ kind: 'block', target: key }])
    await act({ act: 'unblock', whom: key })
    expect(await site.control.entries()).toEqual([])
  })

  it('a key of two ids is a marked digest, which finds the entry', async () => {
    const pair: Policy = { name: 'pair', limit: 5, window: '1h', keyStrategy: 'composite' }
    const store = new InMemoryStore()
    site = await openSite({ limiters: [new RateLimiter({ store, policy: pair })] })
    const whom = { user: '42', ip: '203.0.113.7' }
    const { body } = await find(whom)
    expect(body['who']).toMatch(/^user\+ip #[\w-]{8}$/)
    await site.control.block(whom)
    const found = await find(body['who'])
    expect(found.body['entries']).toMatchObject([{ target: body['who'] }])
  })

  it('the digest of a key on the page begins that of the logs', async () => {
    const logged: string[] = []
    const log = (fields: object): void => void logged.push((fields as { key: string }).key)
    const telemetry = new LoggingTelemetry({ debug: log, info: log, warn: log, error: log })
    const store = new InMemoryStore()
    const other = new RateLimiter({ store, telemetry, policy: PER_USER })
    await other.consume({ user: '42' })
    await other.consume({ user: '42' }, { cost: 5 })
    site = await openSite()
    const { body } = await find({ user: '42' })
    expect(logged.at(-1)).toMatch(/^[\w-]{22}$/)
    expect(body['who']).toBe(`user #${logged.at(-1)?.slice(0, 8)}`)
  })

  it('keys stay digests if reveal is async, or throws', async () => {
    for (const reveal of [
      async (name: string) => name === 'ann',
      async () => Promise.reject(new Error('no database')),
      () => {
        throw new Error('no database')
      },
      () => 'yes',
    ]) {
      site = await openSite({ reveal: reveal as never })
      expect((await site.call('about')).body).toMatchObject({ name: 'ann', reveals: false })
      await site.close()
    }
  })

  it('keys are in clear for those whom reveal names', async () => {
    site = await openSite({ reveal: name => name === 'ann' })
    await site.control.block({ user: '42' })
    expect((await site.call('standing')).body['entries']).toMatchObject([{ target: 'user:42' }])
    expect((await site.call('about')).body).toMatchObject({ name: 'ann', reveals: true })
  })

  it('the page never shows an API key', async () => {
    site = await openSite({ reveal: true })
    const { body } = await act({ act: 'block', whom: { apiKey: 'sk_live_123' } })
    expect(body['says']).not.toContain('sk_live')
    const standing = await site.call('standing')
    expect(standing.body['entries']).toMatchObject([{ target: /^api-key:#/ }])
    expect(JSON.stringify(standing.body)).not.toContain('sk_live')
  })
})

describe('a document of another version', () => {
  it('a document of another version is told of, the last good one holds, and acts do not overwrite it', async () => {
    site = await openSite()
    await act({ act: 'block', whom: { user: '42' } })
    const document = site.store.document?.('control')
    const { version = '0' } = (await document?.read()) ?? {}
    await document?.write('{"halt":99}', version)
    expect((await site.call('standing')).body['problem']).toMatchObject({ code: 'HALT_W_CONTROL' })
    expect((await act({ act: 'block', whom: { user: '43' } })).body['error'].code).toBe('HALT_E_CONTROL')
    expect((await site.limiter.consume({ user: '42' })).reason).toBe('blocked')
  })
})

describe('a report of another process', () => {
  it('a report of another process that is broken anywhere is left out, and breaks no call', async () => {
    site = await openSite()
    await site.ask('42', 6)
    await site.call('feed')
    await site.ask('42', 6)
    const recorder = new Recorder('memory')
    await site.ask('42', 6)
    recorder.stop()
    const under = [{ policy: 'a', key: 'ip:x', allowed: true, reason: 'ok', at: 1 }]
    const numbers = {
      ...recorder.read(Date.now()),
      waiting: 0,
      counted: [{ token: 'x', under }],
      shedders: [
        {
          name: 'shop',
          mode: 'enforce',
          route: '/search',
          limit: 20,
          inFlight: 20,
          ageMs: 1,
          insideMs: 9,
          calmMs: 2,
          sheds: ['batch'],
          cause: 'inside',
          sheddingMs: 900,
        },
      ],
    } as const
    const good = JSON.parse(writeNumbers(numbers)) as Record<string, any>
    let broken = 0
    for (const path of pathsOf(good)) {
      for (const value of [null, {}, [null], [{}], 'x', 1e300]) {
        const text = JSON.stringify(withValue(good, path, value))
        if (readNumbers(text) === undefined) broken++
        else expect(typeof value).toBe(typeof valueAt(good, path))
      }
      const reports = new Reports({ store: site.store, name: 'operator-numbers' })
      await reports.publish(JSON.stringify(withValue(good, path, [{}])))
    }
    expect(broken).toBeGreaterThan(100)
    for (const [name, body] of [
      ['feed', {}],
      ['find', { whom: { user: '42' } }],
      ['find', { whom: 'user #nobody' }],
    ] as const)
      expect([name, (await site.call(name, body)).status]).not.toContain(500)
    expect((await site.call('feed')).body['processes']).toHaveLength(1)
  })
})

/** The ways to every field of an object, and to the first item of each list. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const names = Array.isArray(value) ? Object.keys(value).slice(0, 1) : Object.keys(value)
  const below = names.flatMap(name => pathsOf((value as Record<string, unknown>)[name], [...path, name]))
  return path.length === 0 ? below : [path, ...below]
}

function valueAt(value: any, path: readonly string[]): unknown {
  return path.reduce((at, name) => at[name], value)
}

function withValue(value: any, [name = '', ...rest]: readonly string[], put: unknown): any {
  const copy = Array.isArray(value) ? [...value] : { ...value }
  copy[name] = rest.length === 0 ? put : withValue(copy[name], rest, put)
  return copy
}
