// Numbers of one client beside a counter of everybody.
import { describe, expect, it, onTestFinished } from 'vitest'

import type { Policy, RateLimiterOptions } from '@halt/core'
import { Control } from '../src/index.ts'
import { by, world } from '../../core/test/world.ts'

function controlled(policy: RateLimiterOptions['policy']) {
  const { store, limiter } = world()
  const control = new Control({ store, warn: () => {} })
  onTestFinished(() => control.close())
  return { control, own: limiter(policy, { control }) }
}

describe('an override of one client', () => {
  const all: Policy = {
    name: 'all',
    limit: 5,
    window: 600,
    algorithm: 'fixed-window',
    keyStrategy: 'shared',
  }
  const perUser: Policy = {
    name: 'per_user',
    limit: 5,
    window: 600,
    algorithm: 'fixed-window',
    keyStrategy: 'user',
  }

  it.each([
    ['alone', all],
    ['beside another', [all, { ...perUser, limit: 100 }]],
  ] as const)('an override of a client does not change the shared counter, %s', async (_how, policy) => {
    const { control, own } = controlled(policy as RateLimiterOptions['policy'])
    await control.override({ user: '42' }, 'all', { limit: 50 })
    expect((await own.peek({ user: '42' })).verdicts[0]?.limit).toBe(5)
    for (let i = 0; i < 5; i++) expect((await own.consume({ user: '42' })).allowed).toBe(true)
    expect((await own.consume({ user: '42' })).allowed).toBe(false)
    expect((await own.check(by('42'))).allowed).toBe(false)
  })

  it('an override of one client changes its own counter beside that of everybody', async () => {
    const { control, own } = controlled([{ ...all, limit: 100 }, perUser])
    await control.override({ user: '42' }, 'per_user', { limit: 9 })
    for (let i = 0; i < 9; i++) expect((await own.consume({ user: '42' })).allowed).toBe(true)
    expect(await own.consume({ user: '42' })).toMatchObject({ allowed: false, policy: 'per_user', limit: 9 })
  })
})
