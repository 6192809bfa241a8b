import { afterEach, describe, expect, it, vi } from 'vitest'

import { type HaltWarning, type Policy, RateLimiter } from '@halt/core'
import { Control } from '../src/index.ts'
import { ReferenceStore } from '@halt/core/testing'
import { rejection, START, view } from '../../core/test/world.ts'

const api: Policy = { name: 'api', limit: 2, window: 60 }
const open: Control[] = []
afterEach(() => {
  for (const control of open.splice(0)) control.close()
  vi.useRealTimers()
})

/** A process of its own: a control, and limiters of these policies. */
function running(store: ReferenceStore, ...policies: readonly (Policy | (() => Policy))[]) {
  const warnings: HaltWarning[] = []
  const warn = (warning: HaltWarning): void => void warnings.push(warning)
  const control = new Control({ store, warn })
  open.push(control)
  const limiters = policies.map(policy => new RateLimiter({ store, policy, control, warn }))
  return { control, limiters, own: limiters[0] as RateLimiter, warnings }
}

describe('an entry about a policy that no limiter of the process has', () => {
  it('an entry about a policy that no limiter has is warned of once, with the names that exist', async () => {
    vi.useFakeTimers({ now: START })
    const store = new ReferenceStore(Date.now)
    const { control, limiters, warnings } = running(store, api, { ...api, name: 'login' })
    expect(limiters).toHaveLength(2)
    await control.change('apy', { limit: 1 })
    await control.override({ user: '42' }, 'logins', { limit: 1 })
    await vi.advanceTimersByTimeAsync(5_000)
    await control.change('upi', { limit: 1 })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_CONTROL_POLICY'])
    expect(warnings[0]?.message).toContain('"apy", "logins"')
    expect(warnings[0]?.fix).toContain('"api", "login"')
  })

  it('an entry about a policy that a limiter gets a second later is not warned of', async () => {
    vi.useFakeTimers({ now: START })
    const store = new ReferenceStore(Date.now)
    const { control, warnings } = running(store, api)
    await control.change('login', { limit: 1 })
    await vi.advanceTimersByTimeAsync(1_500)
    const late = new RateLimiter({ store, policy: { ...api, name: 'login' }, control })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(warnings).toEqual([])
    await late.close()
  })

  it('an entry about an unknown policy is not warned of where a resolver gives policies, or without limiters', async () => {
    vi.useFakeTimers({ now: START })
    for (const policies of [[() => api], []]) {
      const { control, warnings } = running(new ReferenceStore(Date.now), ...policies)
      await control.change('tariff', { limit: 1 })
      await vi.advanceTimersByTimeAsync(10_000)
      expect(warnings).toEqual([])
    }
  })
})

it('numbers that a policy cannot have are warned of once, and change nothing', async () => {
  const store = new ReferenceStore(Date.now)
  const { control, own, warnings } = running(store, { ...api, algorithm: 'fixed-window' })
  await control.change('api', { burst: 5 })
  for (let i = 0; i < 2; i++) expect((await own.check(view())).limit).toBe(2)
  expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_CONTROL_NUMBERS'])
  expect(warnings[0]?.message).toContain('"api"')
  expect(warnings[0]?.message).toContain('burst')
})

it('a network of every address needs force, in every spelling', async () => {
  const { control, own } = running(new ReferenceStore(Date.now), api)
  for (const ip of ['0.0.0.0/0', '::/0', '::/00', '::ffff:0.0.0.0/96', '1.2.3.4/0'])
    expect((await rejection(control.block({ ip }))).code).toBe('HALT_E_CONTROL')
  expect(await control.entries()).toEqual([])
  for (const ip of ['::ffff:0.0.0.0/96', '::ffff:0:0/96', '0.0.0.0/0'])
    expect(await control.block({ ip }, { force: true }), ip).toMatchObject({ target: '0.0.0.0/0' })
  expect((await own.check(view({ ip: '203.0.113.7' }))).reason).toBe('blocked')
  expect((await own.check(view({ ip: '2001:db8::7' }))).reason).toBe('ok')
  expect(await control.unblock({ ip: '::ffff:203.0.113.7/96' })).toBe(true)
  expect(await control.entries()).toEqual([])
})

it('a text that is not a network is told so, without a word about proxies', async () => {
  const { control } = running(new ReferenceStore(Date.now), api)
  for (const ip of [
    '203.0.113.0/33',
    '2001:db8::/129',
    '::ffff:203.0.113.0/129',
    '203.0.113.0/08',
    '203.0.113/24',
  ]) {
    const { code, message } = await rejection(control.block({ ip }, { force: true }))
    expect([code, message], ip).toEqual([
      'HALT_E_CONTROL',
      expect.stringContaining(`${JSON.stringify(ip)} is not a network.`),
    ])
    expect(message).not.toMatch(/prox|hops/)
    expect((await rejection(control.unblock({ ip }))).message, ip).toContain('is not a network')
  }
  const below = await rejection(control.block({ ip: '::ffff:203.0.113.0/24' }, { force: true }))
  expect(below.message).toContain('203.0.113.0/24')
})

it('sizeOf tells before an act how many clients a network has, and whether the act needs force', async () => {
  const { control } = running(new ReferenceStore(Date.now), api)
  for (const [ip, says, needsForce] of [
    ['10.0.0.0/8', '16,777,216 addresses', false],
    ['10.0.0.0/7', '33,554,432 addresses', true],
    ['0.0.0.0/0', '4,294,967,296 addresses', true],
    ['2a00::/19', '137,438,953,472 subscribers of IPv6, each with a /56', false],
    ['2a00::/18', '274,877,906,944 subscribers of IPv6, each with a /56', true],
  ] as const) {
    expect(control.sizeOf({ ip }), ip).toMatchObject({ says, needsForce })
    const blocked = control.block({ ip })
    if (needsForce) expect((await rejection(blocked)).code, ip).toBe('HALT_E_CONTROL')
    else await blocked
  }
  expect(control.sizeOf({ user: '42' })).toBe(undefined)
  expect(control.sizeOf({ ip: '203.0.113.7' })).toBe(undefined)
})

it('the smallest of overlapping networks counts whose entry has not ended', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const { control, own } = running(new ReferenceStore(Date.now), { ...api, limit: 1e6 })
  await control.block({ ip: '0.0.0.0/0' }, { force: true })
  await control.allow({ ip: '203.0.0.0/16' })
  await control.block({ ip: '203.0.113.0/24' }, { for: '1h' })
  await control.allow({ ip: '203.0.113.0/28' }, { for: '30m' })
  const reasons = async (): Promise<string[]> => {
    const found: string[] = []
    for (const ip of ['198.51.100.1', '203.0.1.1', '203.0.113.200', '203.0.113.7'])
      found.push((await own.check(view({ ip }))).reason)
    return found
  }
  expect(await reasons()).toEqual(['blocked', 'exempt', 'blocked', 'exempt'])
  vi.setSystemTime(START + 31 * 60_000)
  expect(await reasons()).toEqual(['blocked', 'exempt', 'blocked', 'blocked'])
  vi.setSystemTime(START + 61 * 60_000)
  expect(await reasons()).toEqual(['blocked', 'exempt', 'exempt', 'exempt'])
  await control.block({ ip: '203.0.113.0/24' })
  expect(await control.entries()).toHaveLength(3)
})

it('an operator can ask before a block whether it reaches his own address', () => {
  const { control } = running(new ReferenceStore(Date.now))
  const cases = [
    [{ ip: '203.0.113.0/24' }, '203.0.113.7', true],
    [{ ip: '203.0.113.0/24' }, '203.0.114.7', false],
    [{ ip: '203.0.113.7' }, '::ffff:203.0.113.7', true],
    [{ ip: '0.0.0.0/0' }, '203.0.113.7', true],
    [{ ip: '0.0.0.0/0' }, '2001:db8::1', false],
    [{ ip: '2001:db8::1' }, '2001:db8::2', true],
    [{ user: '42' }, '203.0.113.7', false],
    [{ ip: '203.0.113.0/24' }, 'oops', false],
  ] as const
  for (const [target, address, reaches] of cases) expect(control.reaches(target, address)).toBe(reaches)
})

it('two operators who act on one client at once leave one entry, and both acts in the history', async () => {
  const store = new ReferenceStore(Date.now)
  const [ann, bob] = [running(store), running(store)]
  await Promise.all([
    ann.control.block({ user: '42' }, { by: 'ann' }),
    bob.control.block({ user: '42' }, { by: 'bob' }),
  ])
  const [entry, ...others] = await ann.control.entries()
  expect(others).toEqual([])
  expect((await bob.control.history()).map(({ by }) => String(by)).toSorted()).toEqual(['ann', 'bob'])
  expect(['ann', 'bob']).toContain(entry?.by)
})

it('an entry ends by the clock of the process that decides, however far its clock is from the operator’s', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const store = new ReferenceStore(Date.now)
  const ahead = running(store)
  await ahead.control.block({ ip: '203.0.113.7' }, { for: '10m' })
  vi.setSystemTime(START - 5 * 60_000)
  const behind = running(store, api)
  await behind.control.refresh()
  expect(await behind.own.check(view())).toMatchObject({ reason: 'blocked', retryAfter: 15 * 60 })
  vi.setSystemTime(START + 10 * 60_000)
  expect((await behind.own.check(view())).allowed).toBe(true)
})

it('HTML and control characters in reasons and keys come back unchanged, and quoted where Halt prints them', async () => {
  const store = new ReferenceStore(Date.now)
  const { control, own } = running(store, { ...api, keyStrategy: 'user' })
  const [user, reason] = ['<img src=x onerror=alert(1)>', '</script>\u001b[31m\n']
  await control.block({ user }, { reason, by: '"><b>' })
  expect((await control.entries())[0]).toMatchObject({ target: `user:${user}`, reason, by: '"><b>' })
  const text = String(await own.explain({ user }))
  expect(text).not.toContain('\u001b')
  expect(text).toContain(JSON.stringify(reason))
})
