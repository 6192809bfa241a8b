// A client that resets its connection before anybody reads its address must not pass a block of that address.
import { expect, it, onTestFinished } from 'vitest'

import type { Identity } from '@halt/core'
import { Control } from '../src/index.ts'
import { view, world } from '../../core/test/world.ts'

const request = { ...view({ ip: undefined }), departed: true, user: { id: '42' } }

it.each<[string, Identity]>([
  ['an address', { ip: '203.0.113.7' }],
  ['a network', { ip: '203.0.113.0/24' }],
  ['a user at an address', { user: '42', ip: '203.0.113.7' }],
])(
  'a request without its address is refused while %s is blocked, whatever the policy counts',
  async (_, whom) => {
    const { store, limiter } = world()
    const control = new Control({ store, warn: () => {} })
    onTestFinished(() => control.close())
    const shared = limiter({ name: 'p', limit: 9, window: 60, keyStrategy: 'shared' }, { control })
    await control.block(whom)
    expect(await shared.check(request)).toMatchObject({ allowed: false, reason: 'missing-key' })
    expect(await shared.check({ ...request, departed: false })).toMatchObject({ allowed: true, remaining: 8 })
  },
)

it('a request without its address is counted where operators have blocked a user or allowed an address', async () => {
  const { store, limiter } = world()
  const control = new Control({ store, warn: () => {} })
  onTestFinished(() => control.close())
  const shared = limiter({ name: 'p', limit: 9, window: 60, keyStrategy: 'shared' }, { control })
  await control.block({ user: '43' })
  await control.allow({ ip: '203.0.113.7' })
  expect(await shared.check(request)).toMatchObject({ allowed: true, reason: 'ok' })
})
