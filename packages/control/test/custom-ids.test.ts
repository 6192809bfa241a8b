// Entries about ids of the application's own choice, which are known only when the policies' keys are found.
import { expect, it, onTestFinished } from 'vitest'

import type { Policy, RateLimiterOptions, RequestView } from '@halt/core'
import { Control } from '../src/index.ts'
import { view, world } from '../../core/test/world.ts'

const tenants: Policy = {
  name: 'tenants',
  limit: 100,
  window: 60,
  keyExtractor: request => (request as { tenant?: string }).tenant,
}
const perAddress: Policy = { name: 'per_address', limit: 100, window: 60 }

function controlled(policy: RateLimiterOptions['policy'] = tenants) {
  const { store, limiter, clock } = world()
  const control = new Control({ store, warn: () => {} })
  onTestFinished(() => control.close())
  return { control, clock, own: limiter(policy, { control }) }
}

/** A request of a tenant, and perhaps of a user of it. */
function of(tenant: string | undefined, user?: string, changes: Partial<RequestView> = {}): RequestView {
  return view({ request: { tenant, ...(user === undefined ? {} : { user: { id: user } }) }, ...changes })
}

for (const [how, policy] of [
  ['at once', tenants],
  [
    'later',
    { ...tenants, keyExtractor: async (request: unknown) => (request as { tenant?: string }).tenant },
  ],
  ['beside an address', [perAddress, tenants]],
] as const)
  it(`a block of a custom id refuses its requests, whose key is found ${how}`, async () => {
    const { control, own, clock } = controlled(policy as RateLimiterOptions['policy'])
    await control.block({ custom: 'acme' }, { for: '90s', by: 'ann' })
    for (let i = 0; i < 2; i++) {
      const decision = await own.check(of('acme'))
      expect(decision).toMatchObject({ reason: 'blocked', key: 'custom:acme', retryAfter: 90 })
      expect((await own.check(of('other'))).reason).toBe('ok')
      expect((await own.check(of(undefined))).reason).toBe('ok')
    }
    expect((await own.peek(of('acme'))).reason).toBe('blocked')
    const explanation = await own.explain(of('acme'))
    expect(explanation.control).toMatchObject({ kind: 'block', target: 'custom:acme', by: 'ann' })
    expect((await own.explain(of('other'))).control).toBeUndefined()
    const readings = await own.inspect(of('acme'))
    expect(readings.map(({ control: entries }) => entries[0]?.target)).toContain('custom:acme')
    clock.advance('90s')
    expect((await own.check(of('acme'))).reason).toBe('ok')
  })

it('a permission of a custom id lets its requests pass uncounted', async () => {
  const { control, own } = controlled([{ ...tenants, limit: 1 }, perAddress])
  await control.allow({ custom: 'acme' })
  for (let i = 0; i < 3; i++) expect((await own.check(of('acme'))).reason).toBe('exempt')
  expect((await own.explain(of('acme'))).control?.kind).toBe('allow')
  expect(await control.disallow({ custom: 'acme' })).toBe(true)
  expect(await own.check(of('acme'))).toMatchObject({ reason: 'ok', policy: 'tenants' })
})

it('a block of any id of a request comes before a permission of another', async () => {
  const { control, own } = controlled()
  await control.allow({ user: 'ann' })
  await control.block({ custom: 'acme' })
  expect((await own.check(of('acme', 'ann'))).reason).toBe('blocked')
  expect((await own.check(of('other', 'ann'))).reason).toBe('exempt')
  await control.block({ ip: '203.0.113.0/24' })
  await control.allow({ custom: 'acme' })
  expect((await own.check(of('acme'))).reason).toBe('blocked')
})

it('the application is asked once per request for the key, and never for a request that is blocked before', async () => {
  let asked = 0
  const { control, own } = controlled({ ...tenants, keyExtractor: () => `t${++asked}` })
  await control.block({ custom: 'acme' })
  await own.check(view())
  expect(asked).toBe(1)
  await control.block({ ip: '203.0.113.7' })
  await own.check(view())
  expect(asked).toBe(1)
})

it('a request of a blocked custom id is blocked though another policy misses its key', async () => {
  const { control, own } = controlled([
    tenants,
    { ...perAddress, name: 'per_user', keyStrategy: 'user', onMissingKey: 'deny' },
  ])
  expect((await own.check(of('acme'))).reason).toBe('missing-key')
  await control.block({ custom: 'acme' })
  expect((await own.check(of('acme'))).reason).toBe('blocked')
  expect((await own.check(of('other'))).reason).toBe('missing-key')
})

it('an entry about a custom id changes nothing for a limiter without a key of its own', async () => {
  const { control, own } = controlled(perAddress)
  await control.block({ custom: 'acme' })
  for (let i = 0; i < 2; i++) expect((await own.check(of('acme'))).reason).toBe('ok')
})
