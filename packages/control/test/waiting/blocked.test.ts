// Callers that an operator blocks while they wait.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { guard } from '@halt/core/http'
import { type Identity, type Policy, PolicyRegistry, type RateLimiterOptions } from '@halt/core'
import { Control } from '../../src/index.ts'
import { waitingRoom } from '../../../core/src/waiting/lines.ts'
import { by, CLIENT, view } from '../../../core/test/world.ts'
import { passingWorld } from '../../../core/test/waiting/passing-world.ts'

const shared: Policy = { name: 'calls', limit: 1, window: 1, burst: 1, keyStrategy: 'shared' }
const perUser: Policy = { ...shared, keyStrategy: 'user' }
const sharedWindow: Policy = {
  name: 'w',
  limit: 1,
  window: 1,
  algorithm: 'fixed-window',
  keyStrategy: 'shared',
}

const open: Control[] = []
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  for (const control of open.splice(0)) control.close()
  vi.useRealTimers()
  const { size, alarms } = waitingRoom
  if (size + alarms.size > 0) throw new Error(`${size} callers and ${alarms.size} alarms were left behind.`)
})

function controlled(policy: RateLimiterOptions['policy']) {
  const own = passingWorld()
  const control = new Control({ store: own.store, warn: () => {} })
  open.push(control)
  return { ...own, control, limiter: own.limiter(policy, { control, exemptPrivateIps: false }) }
}

describe('a caller that is blocked while it waits is refused at its turn, and its place is free', () => {
  const cases: [string, Policy, Identity, Identity][] = [
    ['by its own name', perUser, { user: '42' }, { user: '42' }],
    ['by its user, on the counter of a pair', perUser, { user: '42', ip: CLIENT }, { user: '42' }],
    [
      'by its network, on the counter of a pair',
      perUser,
      { user: '42', ip: CLIENT },
      { ip: '203.0.113.0/24' },
    ],
    ['on a shared counter', shared, { custom: 'job' }, { custom: 'job' }],
  ]
  for (const [name, policy, caller, target] of cases)
    it(`a caller that waits is refused at its turn, and its place is free, if it is blocked ${name}`, async () => {
      const { control, limiter, acquire, pass, starts, refused } = controlled(policy)
      for (const i of [0, 1, 2]) void acquire(limiter, caller, i)
      await pass(1500)
      await control.block(target)
      await pass(1000)
      expect(starts.map(({ name: who }) => who)).toEqual([0, 1])
      expect(refused.map(({ name: who, at, decision }) => [who, at, decision.reason])).toEqual([
        [2, 2000, 'blocked'],
      ])
      await control.unblock(target)
      expect((await limiter.consume(caller)).allowed).toBe(true)
    })

  it('a caller is refused at its turn if it is blocked by the name that a function gives its tenant', async () => {
    const fair = { by: (request: { readonly tenant: string }) => request.tenant }
    const { control, limiter, pass } = controlled({ ...shared, fair } as never)
    const { enter } = guard(limiter, { delay: { maxWait: '1h' } })
    const turns = ['one', 'acme', 'other'].map(tenant => enter(view({ request: { tenant } }), {}))
    await pass(500)
    await control.block({ custom: 'acme' })
    await pass(2000)
    expect((await turns[1])?.decision).toMatchObject({ allowed: false, reason: 'blocked' })
    expect((await turns[2])?.decision).toMatchObject({ allowed: true })
  })

  for (const [what, target] of [
    ['user', { user: '42' }],
    ['address', { ip: CLIENT }],
    ['network', { ip: '203.0.113.0/24' }],
  ] as const)
    it(`a caller that a guard holds for a shared counter is refused at its turn if its ${what} is blocked`, async () => {
      const { control, limiter, pass, now } = controlled(shared)
      const { enter } = guard(limiter, { delay: { maxWait: '1h' } })
      const turns = ['1', '42', '7'].map((id, i) =>
        enter(by(id, { ip: id === '42' ? CLIENT : `198.51.100.${i}` }), {}),
      )
      await pass(500)
      await control.block(target)
      await pass(600)
      const { decision } = await turns[1]!
      expect(decision).toMatchObject({ allowed: false, reason: 'blocked' })
      expect(now()).toBe(1100)
      await pass(1000)
      // Its units leave at the front, so the caller behind it moves up.
      expect((await turns[2])?.decision).toMatchObject({ allowed: true, waitedMs: 1000 })
    })
})

describe('a caller that is blocked while it waits for others to ask', () => {
  it('a blocked caller of a concurrency policy is refused when its turn to ask comes', async () => {
    const { control, limiter, acquire, pass, starts, refused } = controlled({
      name: 'calls',
      limit: 1,
      algorithm: 'concurrency',
      ttl: 60,
      keyStrategy: 'shared',
    })
    const held = await limiter.acquire({ user: '1' })
    for (const user of ['2', '42', '3']) void acquire(limiter, { user }, user)
    await pass(10)
    await control.block({ user: '42' })
    await limiter.release(held)
    await pass(10)
    expect(starts.map(({ name }) => name)).toEqual(['2'])
    await limiter.release(starts[0]!.decision)
    await pass(10)
    expect(starts.map(({ name }) => name)).toEqual(['2', '3'])
    expect(refused.map(({ name, decision }) => [name, decision.reason])).toEqual([['42', 'blocked']])
    await limiter.release(starts[1]!.decision)
  })

  it('a blocked caller of a window is refused when it asks again', async () => {
    const { control, limiter, acquire, pass, starts, refused } = controlled(sharedWindow)
    for (const user of ['1', '42', '3']) void acquire(limiter, { user }, user)
    await pass(10)
    await control.block({ user: '42' })
    await pass(1100)
    expect(refused.map(({ name, decision }) => [name, decision.reason])).toEqual([['42', 'blocked']])
    expect(starts.map(({ name }) => name)).toEqual(['1', '3'])
  })
})

it('a limiter closes although callers are blocked that wait for others to ask', async () => {
  const { control, limiter, acquire, pass, starts, refused } = controlled(sharedWindow)
  const ends: unknown[] = []
  for (const user of ['1', '2', '42', '43'])
    void acquire(limiter, { user }, user).catch((error: { code: string }) => ends.push(error.code))
  await pass(10)
  for (const user of ['42', '43']) await control.block({ user })
  // The first one leaves, so the next one may ask, and so on. Those that are blocked are refused before the limiter sends them away.
  await limiter.close()
  expect(starts.map(({ name }) => name)).toEqual(['1'])
  expect(refused.map(({ name }) => name)).toEqual(['42', '43'])
  expect(ends).toEqual(['HALT_E_CLOSED'])
})

it('callers keep their places while an operator acts on others', async () => {
  const { control, limiter, acquire, pass, starts } = controlled(shared)
  for (const user of ['1', '2', '3']) void acquire(limiter, { user }, user)
  await pass(500)
  await control.block({ user: '42' })
  await control.allow({ ip: '198.51.100.0/24' })
  await control.allow({ user: '2' })
  await pass(1600)
  expect(starts.map(({ name, at }) => [name, at])).toEqual([
    ['1', 0],
    ['2', 1000],
    ['3', 2000],
  ])
})

it('a block that has ended when the turn comes does not refuse', async () => {
  vi.useRealTimers()
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'],
    now: Date.UTC(2026, 10, 24),
  })
  const { control, limiter, pass } = controlled(shared)
  const turns = [limiter.acquire(view()), limiter.acquire(view())]
  await control.block({ ip: CLIENT }, { for: '500ms' })
  await pass(1000)
  expect((await Promise.all(turns)).map(({ allowed }) => allowed)).toEqual([true, true])
})

it('a caller that waits for others to ask goes by the numbers that hold when its turn to ask comes', async () => {
  const own = passingWorld()
  const registry = new PolicyRegistry([{ name: 'calls', limit: 2, window: 1, algorithm: 'fixed-window' }])
  const limiter = own.limiter(registry.resolver(() => 'calls'))
  const starts: number[] = []
  for (let i = 0; i < 2; i++) await limiter.check(view({ ip: CLIENT }))
  for (let i = 0; i < 4; i++)
    void limiter
      .acquire(view({ ip: CLIENT }), { maxWait: '1m' })
      .then(({ allowed }) => allowed && starts.push(own.now()))
  await own.pass(100)
  registry.update('calls', { limit: 1 })
  await own.pass(5000)
  expect(starts).toHaveLength(4)
  for (let second = 1; second < 6; second++)
    expect(starts.filter(at => Math.floor(at / 1000) === second).length).toBeLessThanOrEqual(1)
})
