import { afterEach, describe, expect, it, vi } from 'vitest'

import type { Policy, RateLimiterOptions } from '@halt/core'
import { Control } from '../src/index.ts'
import { by, START, view, world } from '../../core/test/world.ts'

const perUser: Policy = { name: 'per_user', limit: 100, window: 60, keyStrategy: 'user' }
const open: Control[] = []
afterEach(() => {
  for (const control of open.splice(0)) control.close()
  vi.useRealTimers()
})

function controlled(policy: RateLimiterOptions['policy'] = perUser) {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const { clock, store, limiter } = world()
  const control = new Control({ store, warn: () => {} })
  open.push(control)
  return { clock, control, own: limiter(policy, { control }) }
}

describe('explain', () => {
  it('explain lists each policy once for a client whom an operator lets pass', async () => {
    const { limiter, store } = world()
    const control = new Control({ store })
    const fixed: Policy = { name: 'p', limit: 2, window: 60, algorithm: 'fixed-window' }
    const one = limiter([fixed, { ...fixed, name: 'user', keyStrategy: 'user' }], { control })
    await control.allow({ user: 'ann' })
    expect(
      String(await one.explain({ user: 'ann' }))
        .split('\n')
        .slice(2),
    ).toEqual([
      '  p (fixed-window): not counted, an operator lets the client pass',
      '  user (fixed-window): not counted, an operator lets the client pass',
    ])
    control.close()
  })

  it('explain names the block of a request: the network, until when, who and why, as quoted text', async () => {
    const { control, own } = controlled()
    const why = '<script>alert(1)</script>\nsecond line'
    await control.block({ ip: '203.0.113.0/24' }, { for: '2h', by: 'ann', reason: why })
    const explanation = await own.explain(by('42'))
    expect(explanation.control).toMatchObject({
      kind: 'block',
      target: '203.0.113.0/24',
      until: START + 7_200_000,
      by: 'ann',
      reason: why,
    })
    // The verdict of the block says nothing of the counter of the policy that carries it.
    expect(String(explanation)).not.toContain(' left, ')
    expect(String(explanation).split('\n').slice(0, 2)).toEqual([
      'Refused: blocked (per_user)',
      `  by an operator: block for "203.0.113.0/24", until 2026-11-24T02:00:00.000Z, by "ann", because ${JSON.stringify(why)}`,
    ])
  })

  it('explain names the permission of a request', async () => {
    const { control, own } = controlled()
    await control.allow({ user: 'partner' })
    const explanation = await own.explain(by('partner'))
    expect(explanation.control?.kind).toBe('allow')
    expect(String(explanation)).toContain(
      'by an operator: allow for "user:partner", until somebody takes it back',
    )
    expect(String(explanation)).toContain('not counted, an operator lets the client pass')
  })

  it('explain names the numbers of everybody and of the client, on the policy that has them', async () => {
    const { control, own } = controlled([perUser, { name: 'api', limit: 9, window: 60 }])
    await control.change('per_user', { limit: 50 }, { by: 'bob' })
    await control.override({ user: '42' }, 'per_user', { limit: 5000 }, { for: '3d', reason: 'launch' })
    const explanation = await own.explain(by('42'))
    const [first, second] = explanation.policies
    expect(first).toMatchObject({ policy: 'per_user', limit: 5000 })
    expect(first?.control.map(({ kind }) => kind)).toEqual(['change', 'override'])
    expect(second?.control).toEqual([])
    expect(explanation.control).toBeUndefined()
    expect(String(explanation)).toContain(
      [
        '    by an operator: change for everybody: limit 50, until somebody takes it back, by "bob"',
        '    by an operator: override for "user:42": limit 5000, until 2026-11-27T00:00:00.000Z, because "launch"',
      ].join('\n'),
    )
    expect((await own.explain(by('7'))).policies[0]).toMatchObject({ limit: 50, control: [{ by: 'bob' }] })
  })

  it('explain names no numbers that the policy cannot have', async () => {
    const { control, own } = controlled({ name: 'calls', limit: 2, algorithm: 'concurrency', ttl: 60 })
    await control.change('calls', { window: 5 })
    expect((await own.explain(view())).policies[0]?.control).toEqual([])
    await control.change('calls', { limit: 5 })
    expect((await own.explain(view())).policies[0]?.control).toMatchObject([{ numbers: { limit: 5 } }])
  })

  it('explain names a block until it ends by the store’s clock, whatever this process’s clock says', async () => {
    const { clock, control, own } = controlled()
    await control.block({ ip: '203.0.113.7' }, { for: '1m' })
    vi.setSystemTime(START + 3_600_000)
    clock.advance('59999ms')
    expect((await own.explain(view())).control?.until).toBe(START + 60_000)
    vi.setSystemTime(START)
    clock.advance('1ms')
    expect((await own.explain(view())).control).toBeUndefined()
  })

  for (const identity of [{ ip: '203.0.113.7' }, { user: '42', ip: '203.0.113.7' }] as const)
    it(`explain names the block of a network for the identity ${JSON.stringify(identity)}`, async () => {
      const { control, own } = controlled()
      await control.block({ ip: '203.0.113.0/24' })
      const explanation = await own.explain(identity)
      expect(explanation.decision).toMatchObject({ allowed: false, reason: 'blocked' })
      expect(explanation.control?.target).toBe('203.0.113.0/24')
      expect((await own.peek(identity)).reason).toBe('blocked')
    })

  it('explain names the block of a user for the identity of the user and an address', async () => {
    const { control, own } = controlled()
    await control.block({ user: '42' })
    expect((await own.explain({ user: '42', ip: '203.0.113.9' })).control?.target).toBe('user:42')
    expect((await own.explain({ user: '43', ip: '203.0.113.9' })).control).toBeUndefined()
  })

  it('a network applies to an IPv6 identity only if it contains all of its /56', async () => {
    const { control, own } = controlled({ ...perUser, keyStrategy: 'ip' })
    const identity = { ip: '2001:db8:0:5::1' }
    await control.block({ ip: '2001:db8::/64' })
    expect((await own.consume(identity)).reason).toBe('ok')
    await control.block({ ip: '2001:db8::/48' })
    expect((await own.consume(identity)).reason).toBe('blocked')
  })
})

describe('inspect', () => {
  it('inspect shows the counters of a blocked client, and the entries that apply', async () => {
    const { control, own } = controlled()
    await own.check(by('42'))
    await control.override({ user: '42' }, 'per_user', { limit: 200 })
    await control.block({ user: '42' }, { by: 'ann' })
    for (const target of [by('42'), { user: '42' }]) {
      const [reading, ...others] = await own.inspect(target)
      expect(others).toEqual([])
      expect(reading).toMatchObject({ policy: 'per_user', limit: 200, used: 1 })
      expect(reading?.control.map(({ kind, by: who }) => [kind, who])).toEqual([
        ['block', 'ann'],
        ['override', undefined],
      ])
    }
    expect((await own.inspect({ user: '43' }))[0]?.control).toEqual([])
  })
})
