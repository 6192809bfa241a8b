import { describe, expect, it } from 'vitest'

import type { DecisionMetadata, Policy, Telemetry } from '../../src/index.ts'
import { by, CLIENT, keyed, START, times, view, world } from '../world.ts'
import { HOOKS } from './hook-names.ts'

const fixed: Policy = { name: 'p', limit: 2, window: 60, algorithm: 'fixed-window' }
/** A telemetry that records its hook calls, and a function that returns and clears them. */
function listening(): { telemetry: Telemetry; heard: () => unknown[][] } {
  let log: unknown[][] = []
  const telemetry: Telemetry = Object.fromEntries(
    HOOKS.map(hook => [hook, (...args: unknown[]) => void log.push([hook, ...args])]),
  )
  return {
    telemetry,
    heard: () => {
      const all = log
      log = []
      return all
    },
  }
}
const names = (calls: unknown[][]): unknown[] => calls.map(([hook]) => hook)
const metadataOf = (call: unknown[] | undefined): DecisionMetadata => call?.[3] as DecisionMetadata

describe('telemetry', () => {
  it('telemetry gets each check once, and its outcome', async () => {
    const { telemetry, heard } = listening()
    const limiter = world().limiter(fixed, { telemetry })
    const allowed = await limiter.check(view())
    expect(heard()).toEqual([
      ['onCheck', `ip:${CLIENT}`, allowed, expect.anything()],
      ['onAllowed', `ip:${CLIENT}`, allowed, expect.anything()],
    ])
    await times(2, limiter)
    expect(names(heard())).toEqual(['onCheck', 'onAllowed', 'onCheck', 'onBlocked'])
    await limiter.check(view({ path: '/health' }))
    expect(names(heard())).toEqual(['onExempt'])
    await limiter.consume({ user: '42' })
    expect(names(heard())).toEqual(['onCheck', 'onAllowed'])
  })

  it('telemetry gets nothing for calls that charge nothing', async () => {
    const { telemetry, heard } = listening()
    const { limiter } = world()
    const one = limiter(fixed, { telemetry })
    await one.peek(view())
    await one.explain(view())
    await one.peek(view({ path: '/health' }))
    await limiter({ ...fixed, keyStrategy: 'user', onMissingKey: 'deny' }, { telemetry }).peek(view())
    expect(heard()).toEqual([])
  })

  it('telemetry gets labels with the decision, none of them chosen by the client', async () => {
    const { telemetry, heard } = listening()
    const limiter = world().limiter({ ...fixed, keyStrategy: 'user', plan: 'pro', cost: 2 }, { telemetry })
    await limiter.check(by('42', { route: '/users/:id', path: '/users/42' }))
    const metadata = metadataOf(heard()[0])
    expect(metadata).toEqual({
      policy: 'p',
      algorithm: 'fixed-window',
      keyStrategy: 'user',
      endpoint: 'GET /users/:id',
      cost: 2,
      plan: 'pro',
      outcome: 'allowed',
      degraded: false,
      durationMs: expect.any(Number),
      store: 'reference',
    })
    expect(metadata.durationMs).toBeGreaterThanOrEqual(0)
    await limiter.check(by('42', { path: '/secret/path' }))
    expect(metadataOf(heard()[0])).toMatchObject({ endpoint: 'GET', outcome: 'blocked' })
    await limiter.check(by('42', { path: '/health' }))
    expect(metadataOf(heard()[0])).toMatchObject({ outcome: 'exempt', cost: 0 })
    await limiter.check(by('42', { method: 'INVENTED', route: '/users/:id' }))
    expect(metadataOf(heard()[0])).toMatchObject({ endpoint: 'OTHER /users/:id' })
  })

  it('telemetry gets the binding policy, and the would-be refusals of shadow policies', async () => {
    const { telemetry, heard } = listening()
    const wide: Policy = { ...fixed, name: 'wide', limit: 100, algorithm: 'sliding-window' }
    const limiter = world().limiter([wide, { ...fixed, mode: 'shadow' }], { telemetry })
    await times(3, limiter)
    const checks = heard().filter(([hook]) => hook === 'onCheck')
    expect(checks.map(call => metadataOf(call).outcome)).toEqual(['allowed', 'allowed', 'shadow_blocked'])
    expect(metadataOf(checks[0])).toMatchObject({ policy: 'wide', algorithm: 'sliding-window' })
  })

  it('telemetry gets refusals that no counter decided', async () => {
    const { telemetry, heard } = listening()
    const { limiter } = world()
    await limiter({ ...fixed, keyStrategy: 'user', onMissingKey: 'deny' }, { telemetry }).check(view())
    expect(heard().map(([hook, , decision]) => [hook, (decision as { reason: string }).reason])).toEqual([
      ['onCheck', 'missing-key'],
      ['onBlocked', 'missing-key'],
    ])
    await limiter(() => undefined as unknown as Policy, { telemetry }).check(view())
    expect(heard().map(([hook, , , metadata]) => [hook, (metadata as DecisionMetadata).algorithm])).toEqual([
      ['onCheck', 'none'],
      ['onBlocked', 'none'],
    ])
  })

  it('telemetry gets each quota check, each threshold once, and each refusal', async () => {
    const { telemetry, heard } = listening()
    const quota = { name: 'q', limit: 10, period: 'daily' } as const
    await times(12, world().limiter(quota, { telemetry }), by('42'))
    const quotas = heard().filter(([hook]) => String(hook).startsWith('onQuota'))
    const usage = (used: number): object => ({
      name: 'q',
      used,
      remaining: 10 - used,
      limit: 10,
      held: 0,
      granted: 0,
      resetAt: START / 1000 + 86_400,
    })
    expect(quotas[0]).toEqual(['onQuotaCheck', 'user:42', usage(1), true])
    expect(quotas.filter(([hook]) => hook !== 'onQuotaCheck')).toEqual([
      ['onQuotaThreshold', 'user:42', usage(8), 0.8],
      ['onQuotaThreshold', 'user:42', usage(10), 1],
      ['onQuotaExceeded', 'user:42', usage(10)],
      ['onQuotaExceeded', 'user:42', usage(10)],
    ])
  })

  it('telemetry gets each violation and each penalty once', async () => {
    const { telemetry, heard } = listening()
    const { clock, limiter } = world()
    const penalty = { threshold: 2, duration: 600, decayRate: 0, cooldown: 1 }
    const one = limiter(fixed, { telemetry, penalty })
    await times(6, one)
    clock.advance(1)
    await times(3, one)
    clock.advance(1)
    await times(3, one)
    const heardOf = heard().filter(([hook]) => hook === 'onViolation' || hook === 'onPenaltyApplied')
    expect(names(heardOf)).toEqual(['onViolation', 'onViolation', 'onPenaltyApplied', 'onViolation'])
    expect(heardOf[1]).toEqual([
      'onViolation',
      `ip:${CLIENT}`,
      {
        isActive: true,
        penaltyUntil: START / 1000 + 601,
        abuseScore: 2,
        violations: 2,
        lastViolation: START / 1000 + 1,
      },
      1,
    ])
  })

  it('telemetry never gets a raw API key', async () => {
    const { telemetry, heard } = listening()
    const limiter = world().limiter(
      { ...fixed, keyStrategy: 'api-key' },
      { telemetry, penalty: { threshold: 1 } },
    )
    await times(4, limiter, keyed('sk_live_do_not_tell'))
    expect(JSON.stringify(heard())).not.toContain('do_not_tell')
  })
})
