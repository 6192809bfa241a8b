import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'

import { PenaltyManager, type Quota, QuotaManager, type QuotaResult } from '@halt/core'
import { Control } from '../src/index.ts'
import { usageOf } from '@halt/core/http'
import { by, mistake, START, view, world } from '../../core/test/world.ts'

const monthly: Quota = { name: 'month', limit: 100, period: 'monthly' }
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }))
afterEach(() => void vi.useRealTimers())

function desk(quota: Quota = monthly) {
  const { store, limiter, clock } = world()
  const control = new Control({ store, warn: () => {} })
  onTestFinished(() => control.close())
  const own = limiter(quota, { control, penalty: { recordOn: 'limited', threshold: 2 } })
  const heard: string[] = []
  const telemetry = {
    onQuotaCheck: () => void heard.push('check'),
    onQuotaExceeded: () => void heard.push('exceeded'),
  }
  const quotas = new QuotaManager(store, { control, telemetry })
  const penalties = new PenaltyManager({ store, control, config: { threshold: 2 } })
  return { control, own, quotas, penalties, heard, clock }
}

const told = ({ allowed, quota, entry }: QuotaResult): unknown[] => [
  allowed,
  quota.used,
  quota.remaining,
  quota.limit,
  entry?.kind,
]

it('a quota of a blocked client is refused, charged nothing, and not called used up', async () => {
  const { control, quotas, heard } = desk()
  await quotas.consumeQuota('cleo', monthly, { cost: 10 })
  heard.length = 0
  await control.block({ user: 'cleo' }, { by: 'ann' })
  for (const call of ['checkQuota', 'consumeQuota'] as const)
    expect(told(await quotas[call]('cleo', monthly))).toEqual([false, 10, 90, 100, 'block'])
  expect(heard).toEqual([])
  await control.unblock({ user: 'cleo' })
  expect(told(await quotas.consumeQuota('cleo', monthly))).toEqual([true, 11, 89, 100, undefined])
})

it('a quota of a client that an operator lets pass is not charged', async () => {
  const { control, quotas } = desk()
  await control.allow({ user: 'cleo' })
  expect(told(await quotas.consumeQuota('cleo', monthly, { cost: 500 }))).toEqual([
    true,
    0,
    100,
    100,
    'allow',
  ])
  await control.disallow({ user: 'cleo' })
  expect(told(await quotas.consumeQuota('cleo', monthly, { cost: 500 }))).toEqual([
    false,
    0,
    100,
    100,
    undefined,
  ])
})

it('a QuotaManager has the numbers that operators have set, as the limiter has', async () => {
  const { control, quotas, own } = desk()
  await quotas.consumeQuota('cleo', monthly, { cost: 100 })
  await control.override({ user: 'cleo' }, 'month', { limit: 4600 })
  expect((await own.peek({ user: 'cleo' })).remaining).toBe(4500)
  expect(told(await quotas.checkQuota('cleo', monthly))).toEqual([true, 100, 4500, 4600, undefined])
  expect((await quotas.grantQuota('cleo', monthly, 5)).remaining).toBe(4505)
  await control.change('month', { limit: 50 })
  expect(told(await quotas.checkQuota('dora', monthly))).toEqual([true, 0, 50, 50, undefined])
  await control.revert('month', { identity: { user: 'cleo' } })
  expect(told(await quotas.checkQuota('cleo', monthly))).toEqual([false, 100, 0, 50, undefined])
  await control.revert('month')
  expect(told(await quotas.checkQuota('cleo', monthly))).toEqual([true, 100, 5, 100, undefined])
})

it('a shared quota obeys the block of the client that uses it', async () => {
  const shared: Quota = { ...monthly, keyStrategy: 'shared' }
  const { control, quotas } = desk(shared)
  await control.block({ user: 'cleo' })
  await control.change('month', { limit: 7 })
  expect((await quotas.consumeQuota({ user: 'cleo' }, shared)).allowed).toBe(false)
  expect(told(await quotas.consumeQuota({ user: 'dora' }, shared))).toEqual([true, 1, 6, 7, undefined])
})

it('a client that an operator has blocked or let pass scores no violation', async () => {
  const { control, penalties } = desk()
  await control.block({ user: 'cleo' })
  expect(await penalties.recordViolation('cleo', { severity: 5 })).toMatchObject({ violations: 0 })
  await control.allow({ user: 'cleo' })
  await control.unblock({ user: 'cleo' })
  expect(await penalties.recordViolation('cleo', { severity: 5 })).toMatchObject({ violations: 0 })
  await control.disallow({ user: 'cleo' })
  expect(await penalties.recordViolation('cleo', { severity: 5 })).toMatchObject({
    violations: 1,
    isActive: true,
  })
})

it('a control that is not a Control is refused by the managers', () => {
  const { store } = world()
  expect(mistake(() => new QuotaManager(store, { control: 'yes' as never })).code).toBe('HALT_E_OPTION')
  expect(mistake(() => new PenaltyManager({ store, control: 'yes' as never })).code).toBe('HALT_E_OPTION')
})

it('a decision says whether counters made it', async () => {
  const { control, own } = desk()
  expect((await own.check(by('cleo'))).counted).toBe(true)
  await control.block({ user: 'cleo' }, { for: '1m' })
  const refused = await own.check(by('cleo'))
  expect([refused.reason, refused.counted]).toEqual(['blocked', false])
  expect((await own.check(view({ ip: '10.0.0.1' }))).counted).toBe(false)
})

it('a blocked client sees on the usage page that it is blocked, and no limit that is used up', async () => {
  const { control, own } = desk()
  await control.block({ user: 'cleo' }, { for: '1m' })
  expect((await usageOf(own, by('cleo'))).body).toEqual({
    exempt: false,
    degraded: false,
    blocked: { retry_after: 60 },
    limits: [],
  })
})
