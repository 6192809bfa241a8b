import { describe, expect, it, vi } from 'vitest'

import { CompositeTelemetry, type Policy, ShadowSurvey } from '../../../src/index.ts'
import { by, keyed, mistake, START, times, view, world } from '../../world.ts'

const current: Policy = { name: 'api', limit: 10, window: 60, algorithm: 'fixed-window' }
const candidate: Policy = { ...current, name: 'next', limit: 4, mode: 'shadow' }

describe('ShadowSurvey', () => {
  it('ShadowSurvey surveys a candidate next to the current policy: requests, keys, reasons', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    try {
      const survey = new ShadowSurvey()
      const limiter = world().limiter([current, candidate], { telemetry: survey })
      for (let user = 0; user < 3; user++) await times(2, limiter, view({ ip: `198.51.100.${user}` }))
      await times(12, limiter)
      vi.setSystemTime(START + 90_500)
      expect(survey.report()).toEqual({
        since: START / 1000,
        until: START / 1000 + 91,
        policies: [
          {
            policy: 'next',
            requests: 18,
            // Ten of the twelve requests were allowed, four of them also by the candidate.
            wouldBlock: 8,
            alsoBlocked: 2,
            share: 8 / 18,
            keys: 4,
            blockedKeys: 1,
            keyShare: 1 / 4,
            reasons: { limited: 8 },
            top: [{ key: 'ip:203.0.113.7', count: 8, error: 0 }],
          },
        ],
      })
    } finally {
      vi.useRealTimers()
    }
  })

  it('ShadowSurvey is written as text for people', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    try {
      const survey = new ShadowSurvey({ top: 2 })
      expect(String(survey)).toBe(
        'Shadow policies of this process, 2026-11-24T00:00:00Z to 2026-11-24T00:00:00Z: no shadow policy checked a request.',
      )
      const calm: Policy = { ...candidate, name: 'calm', limit: 1000 }
      const limiter = world().limiter([current, calm, candidate], { telemetry: survey })
      await times(14, limiter)
      for (let user = 0; user < 3; user++) await times(5 + user, limiter, view({ ip: `198.51.100.${user}` }))
      expect(String(survey)).toBe(
        [
          'Shadow policies of this process, 2026-11-24T00:00:00Z to 2026-11-24T00:00:00Z',
          '',
          'next would refuse 16 of 32 requests (50.0 %), 4 of 4 keys (100.0 %)',
          '  12 allowed today, 4 refused anyway by another policy',
          '  why: limited 16',
          '  10 × ip:203.0.113.7',
          '   3 × ip:198.51.100.2',
          '',
          'calm would refuse 0 of 32 requests (0.0 %), 0 of 4 keys (0.0 %)',
        ].join('\n'),
      )
    } finally {
      vi.useRealTimers()
    }
  })

  it('ShadowSurvey shows the error of a count when keys shared a row', () => {
    const survey = new ShadowSurvey({ top: 1 })
    const said = { ...evaluation('next'), allowed: false }
    for (let i = 0; i < 250; i++) survey.onCheck('', decision([{ ...said, key: `k${i}` }]))
    expect(survey.report().policies[0]?.top).toMatchObject([{ count: 3, error: 2 }])
    expect(String(survey)).toMatch(/\n {2}3 × k2\d\d \(at least 1\)/)
  })

  it('ShadowSurvey counts only the keys in shadow mode', async () => {
    const survey = new ShadowSurvey()
    const policy: Policy = { ...current, limit: 1, keyStrategy: 'user', mode: { shadow: 0.5 } }
    const limiter = world().limiter(policy, { telemetry: survey })
    let shadowed = 0
    for (let user = 0; user < 200; user++)
      shadowed += (await times(2, limiter, by(user))).filter(({ allowed }) => allowed).length - 1
    const [found] = survey.report().policies
    expect(found).toMatchObject({ requests: shadowed * 2, wouldBlock: shadowed, alsoBlocked: 0 })
    expect(shadowed).toBeGreaterThan(60)
    expect(shadowed).toBeLessThan(140)
  })

  it('ShadowSurvey ignores enforced policies, and can be cleared', async () => {
    const survey = new ShadowSurvey()
    const { limiter } = world()
    await times(12, limiter(current, { telemetry: survey }))
    expect(survey.report().policies).toEqual([])
    await limiter([current, candidate], { telemetry: new CompositeTelemetry(survey) }).check(view())
    expect(survey.report().policies).toHaveLength(1)
    survey.clear()
    expect(survey.report().policies).toEqual([])
  })

  it('ShadowSurvey never contains an API key, and escapes text from clients', async () => {
    const survey = new ShadowSurvey()
    const { limiter } = world()
    const shadow: Policy = { ...candidate, limit: 1, keyStrategy: 'api-key' }
    await times(3, limiter(shadow, { telemetry: survey }), keyed('sk_live_do_not_tell'))
    const byUser: Policy = { ...shadow, name: 'user', keyStrategy: 'user' }
    await times(3, limiter(byUser, { telemetry: survey }), by('<b>"x"\u202e'))
    const text = String(survey)
    expect(JSON.stringify(survey.report()) + text).not.toContain('do_not_tell')
    expect(text).toContain('2 × user:\\u{3c}b\\u{3e}\\u{22}x\\u{22}\\u{202e}')
    expect(text).not.toMatch(/[<>"\u202e]/)
  })

  it('ShadowSurvey stays bounded under floods of keys and of policies', async () => {
    const survey = new ShadowSurvey({ maxPolicies: 3 })
    for (let i = 0; i < 50_000; i++)
      survey.onCheck('', decision([{ ...evaluation(`p${i % 1000}`), key: `k${i}`, allowed: false }]))
    const { policies } = survey.report()
    expect(policies.map(({ policy, requests }) => [policy, requests])).toEqual([
      ['other', 49_850],
      ['p0', 50],
      ['p1', 50],
      ['p2', 50],
    ])
    const other = policies[0]
    expect(Math.abs((other?.keys ?? 0) / 49_850 - 1)).toBeLessThan(0.1)
    expect(other?.blockedKeys).toBeLessThanOrEqual(other?.keys ?? 0)
    expect(other?.top).toHaveLength(10)
  })

  it.each([{ top: 0 }, { top: 1.5 }, { top: 1001 }, { top: '10' as never }, { maxPolicies: 0 }])(
    'ShadowSurvey refuses %j with a code',
    options => {
      expect(mistake(() => new ShadowSurvey(options)).code).toBe('HALT_E_OPTION')
    },
  )
})

type Said = Parameters<ShadowSurvey['onCheck']>[1]['verdicts'][number]

function evaluation(policy: string): Said {
  const numbers = { limit: 1, remaining: 0, resetAt: 0, retryAfter: 1 }
  return { policy, allowed: true, reason: 'limited', key: '', mode: 'shadow', ...numbers }
}

function decision(verdicts: readonly Said[]): Parameters<ShadowSurvey['onCheck']>[1] {
  return { allowed: true, verdicts } as unknown as Parameters<ShadowSurvey['onCheck']>[1]
}
