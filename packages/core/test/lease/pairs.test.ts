// What a policy with a lease does not go with: a refusal that may come early must cost a client nothing more.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { PenaltyManager, type Quota, type RatePolicy } from '../../src/index.ts'
import { mistake, world } from '../world.ts'
import { processes } from './processes.ts'

const HOT: RatePolicy = {
  name: 'hot',
  limit: 200,
  window: '10m',
  algorithm: 'fixed-window',
  keyStrategy: 'shared',
  lease: { share: 0.1, idle: '100ms' },
}
const MONTH: Quota = { name: 'month', limit: 200, period: 'monthly', lease: { share: 0.1 } }
const SCORED = { threshold: 1, cooldown: 0 } as const

describe('a cool-down', () => {
  it('a cool-down does not go with a lease, because an early refusal would start it', () => {
    const error = mistake(() => world().limiter({ ...HOT, blockDuration: '5m' }))
    expect(error.code).toBe('HALT_E_LEASE')
    expect(error.message).toContain('"hot"')
    expect(error.fix).toContain('blockDuration')
  })
})

describe('a penalty', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  it.each([HOT, MONTH])(
    'a penalty that scores refusals leaves no unit to a lease, so that none is early: $name',
    async policy => {
      const wide = { ...policy, lease: { share: 0.3, idle: '10s' } } as const
      const hot = processes(2, wide, { penalty: SCORED })
      for (let i = 0; i < 100; i++) {
        for (const process of [0, 1]) void hot.use(process, 1)
        await hot.pass(1)
      }
      expect(hot.uses.filter(({ allowed }) => allowed)).toHaveLength(200)
      const penalties = new PenaltyManager({ store: hot.store })
      expect(await penalties.getPenalty({ custom: 's' })).toMatchObject({ violations: 0 })
    },
  )

  it('a penalty that only a PenaltyManager scores goes with a lease: an early refusal scores nothing', async () => {
    const wide = { ...HOT, lease: { share: 0.3, idle: '10s' } } as const
    const hot = processes(2, wide, { penalty: { ...SCORED, recordOn: 'never' } })
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 2; j++) void hot.use(0, 1)
      await hot.pass(1)
    }
    while (hot.uses.every(({ allowed }) => allowed)) {
      void hot.use(1, 1)
      await hot.pass(1)
    }
    expect(hot.uses.filter(({ allowed }) => allowed).length).toBeLessThan(200)
    const penalties = new PenaltyManager({ store: hot.store })
    expect(await penalties.getPenalty({ custom: 's' })).toMatchObject({ violations: 0, isActive: false })
  })

  it('a penalty that may lower the limit of a client leaves no unit of its counter to a lease', async () => {
    const { keyStrategy: _, ...own } = HOT
    const hot = processes(1, own, { penalty: { ...SCORED, recordOn: 'never' } })
    for (let i = 0; i < 60; i++) {
      void hot.use(0, 1)
      await hot.pass(1)
    }
    expect(hot.uses.some(({ isLocal }) => isLocal)).toBe(false)
  })
})
