// Clients that no entry concerns are remembered, so that most checks look nothing up.
import { expect, it } from 'vitest'

import type { RateLimiter } from '@halt/core'
import { Control } from '../src/index.ts'
import { by, view, world } from '../../core/test/world.ts'

const perAddress = { name: 'per_address', limit: 100, window: 60 } as const
const perUser = { name: 'per_user', limit: 100, window: 60, keyStrategy: 'user' } as const

function controlled(policy: Parameters<ReturnType<typeof world>['limiter']>[0]) {
  const { store, limiter } = world()
  const control = new Control({ store })
  return { control, limiter: limiter(policy, { control }) }
}

const reasonOf = async (limiter: RateLimiter, ip: string): Promise<string> =>
  (await limiter.check(view({ ip }))).reason

it('an address that passed is refused as soon as it is blocked, and passes again afterwards', async () => {
  const { control, limiter } = controlled(perAddress)
  await control.block({ ip: '198.51.100.0/24' })
  for (let i = 0; i < 3; i++) expect(await reasonOf(limiter, '203.0.113.7')).toBe('ok')
  await control.block({ ip: '203.0.113.7' })
  expect(await reasonOf(limiter, '203.0.113.7')).toBe('blocked')
  await control.unblock({ ip: '203.0.113.7' })
  for (let i = 0; i < 2; i++) expect(await reasonOf(limiter, '203.0.113.7')).toBe('ok')
  control.close()
})

it('an address passes though another of its counter is blocked', async () => {
  const { control, limiter } = controlled(perAddress)
  await control.block({ ip: '2001:db8::5/128' })
  for (let i = 0; i < 3; i++) {
    expect(await reasonOf(limiter, '2001:db8::6')).toBe('ok')
    expect(await reasonOf(limiter, '2001:db8::5')).toBe('blocked')
  }
  control.close()
})

it('a user whose address passed is refused when the user is blocked', async () => {
  const { control, limiter } = controlled(perAddress)
  await control.block({ ip: '198.51.100.0/24' })
  for (let i = 0; i < 3; i++) expect((await limiter.check(by('42'))).reason).toBe('ok')
  await control.block({ user: '42' })
  expect((await limiter.check(by('42'))).reason).toBe('blocked')
  expect((await limiter.check(by('43'))).reason).toBe('ok')
  control.close()
})

it.each([
  ['an address', perAddress, { ip: '203.0.113.7' }],
  ['a user', perUser, { user: '42' }],
] as const)('%s that had no numbers of its own gets them, and loses them', async (_who, policy, identity) => {
  const { control, limiter } = controlled(policy)
  const limit = async (): Promise<number> => (await limiter.check(by('42'))).limit
  await control.override({ user: 'somebody' }, policy.name, { limit: 5 })
  for (let i = 0; i < 3; i++) expect(await limit()).toBe(100)
  await control.override(identity, policy.name, { limit: 7 })
  for (let i = 0; i < 2; i++) expect(await limit()).toBe(7)
  await control.revert(policy.name, { identity })
  for (let i = 0; i < 2; i++) expect(await limit()).toBe(100)
  control.close()
})

it('two controls of one process do not take each other for granted', async () => {
  const [one, other] = [controlled(perAddress), controlled(perAddress)]
  await one.control.block({ ip: '203.0.113.0/24' })
  await other.control.block({ ip: '198.51.100.0/24' })
  for (let i = 0; i < 3; i++) {
    expect(await reasonOf(one.limiter, '203.0.113.7')).toBe('blocked')
    expect(await reasonOf(other.limiter, '203.0.113.7')).toBe('ok')
    expect(await reasonOf(other.limiter, '198.51.100.7')).toBe('blocked')
    expect(await reasonOf(one.limiter, '198.51.100.7')).toBe('ok')
  }
  one.control.close()
  other.control.close()
})

it('the application says once per request who the client is', async () => {
  const { store, limiter } = world()
  const control = new Control({ store })
  await control.block({ ip: '198.51.100.0/24' })
  let asked = 0
  const own = limiter(perAddress, { control, clientIp: () => `203.0.113.${++asked}` })
  for (let i = 1; i <= 4; i++) {
    await own.check(view())
    expect(asked).toBe(i)
  }
  control.close()
})
