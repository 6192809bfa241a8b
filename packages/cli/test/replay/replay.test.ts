import { type Policy, definePolicy, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import fc from 'fast-check'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { LimiterSettings } from '../../src/limits/limits-file.ts'
import { readLogs } from '../../src/replay/read-log.ts'
import { Replay } from '../../src/replay/replay.ts'
import { resultOf } from '../../src/replay/result.ts'

interface Asked {
  readonly at: number
  readonly ip: string
  readonly user: string | undefined
}

const START = Date.UTC(2026, 10, 24)
const asked = fc.record({
  wait: fc.integer({ min: 0, max: 9000 }),
  ip: fc.constantFrom('203.0.113.1', '203.0.113.2', '10.1.2.3', '2001:db8::1', '2001:db8::ffff:1'),
  user: fc.constantFrom(undefined, 'ann', 'bob'),
})
const history = fc.array(asked, { minLength: 1, maxLength: 120 }).map(list => {
  let at = START
  return list.map(({ wait, ...who }): Asked => ({ ...who, at: (at += wait) }))
})
const policy = (name: string): fc.Arbitrary<Policy> =>
  fc
    .record({
      limit: fc.integer({ min: 1, max: 12 }),
      window: fc.constantFrom(5, 30, 60),
      algorithm: fc.constantFrom('token-bucket', 'fixed-window', 'sliding-window'),
      burst: fc.constantFrom(undefined, 2, 20),
      blockDuration: fc.constantFrom(undefined, 10),
      keyStrategy: fc.constantFrom('ip', 'user', 'composite', 'shared'),
      mode: fc.constantFrom('enforce', 'shadow'),
    })
    .map(
      ({ burst, ...rest }) =>
        ({ name, ...rest, ...(rest.algorithm === 'token-bucket' ? { burst } : {}) }) as Policy,
    )
const quota = fc.constant<Policy>({ name: 'hourly', limit: 9, period: 'hourly' })
const policies = fc.tuple(policy('a'), fc.option(fc.oneof(policy('b'), quota), { nil: undefined }))

/** Writes the requests as a JSON log, and replays it. */
async function replayed(
  settings: LimiterSettings,
  requests: readonly Asked[],
  limits: readonly number[] = [],
) {
  const decisions: { allowed: boolean; reason: string; key: string; remaining: number }[] = []
  const replay = new Replay({
    settings,
    limitsFor: () => limits,
    mostKeys: 10_000,
    onDecision: (_, { allowed, reason, key, remaining }) =>
      decisions.push({ allowed, reason, key, remaining }),
  })
  const text = requests
    .map(({ at, ip, user }) => `${JSON.stringify({ time: at, ip, user, url: '/x' })}\n`)
    .join('')
  const summary = await readLogs([{ name: 'log', from: Readable.from([Buffer.from(text)]) }], {}, each =>
    replay.add(each),
  )
  return { decisions, result: resultOf(replay, summary, 0) }
}

/** Feeds a limiter with the same requests, as Node's own objects. */
async function decided(settings: LimiterSettings, requests: readonly Asked[]) {
  let now = 0
  const limiter = new RateLimiter({
    ...settings,
    store: new InMemoryStore({ clock: () => now }),
    warn: () => {},
  })
  const decisions = []
  for (const { at, ip, user } of requests) {
    now = at
    const request = {
      method: 'GET',
      url: '/x',
      headers: {},
      socket: { remoteAddress: ip },
      user: user && { id: user },
    }
    decisions.push(await limiter.check(request))
  }
  return decisions
}

describe('a replay', () => {
  it('a replay decides every request as a limiter that is fed with the same requests', async () => {
    await fc.assert(
      fc.asyncProperty(history, policies, async (requests, [a, b]) => {
        const settings = { policy: b === undefined ? a : [a, b] }
        const { decisions, result } = await replayed(settings, requests)
        const wanted = await decided(settings, requests)
        expect(decisions).toEqual(
          wanted.map(({ allowed, reason, key, remaining }) => ({ allowed, reason, key, remaining })),
        )
        for (const { policy: name, refused } of result.policies) {
          const refusals = wanted.filter(({ verdicts }) =>
            verdicts.some(each => each.policy === name && !each.allowed),
          )
          expect(refused).toBe(refusals.length)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('a replay counts for another limit as a limiter with that limit alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.oneof(policy('a'), quota),
        fc.integer({ min: 1, max: 30 }),
        async (requests, base, limit) => {
          const given = { ...base, mode: 'enforce' } as Policy
          const { result } = await replayed({ policy: given }, requests, [limit])
          const wanted = await decided({ policy: definePolicy(given, { limit }) }, requests)
          const refusals = wanted.filter(({ allowed }) => !allowed)
          expect(result.policies[0]!.limits).toEqual([
            { limit, refused: refusals.length, keysRefused: new Set(refusals.map(({ key }) => key)).size },
          ])
        },
      ),
      { numRuns: 100 },
    )
  })

  it('a replay decides a line out of order at the latest instant, and tells how far behind it was', async () => {
    const ip = '203.0.113.1'
    const requests = [0, 50_000, 10_000, 51_000].map(wait => ({ at: START + wait, ip, user: undefined }))
    const settings: LimiterSettings = {
      policy: { name: 'a', limit: 2, window: 20, algorithm: 'fixed-window' },
    }
    const { decisions, result } = await replayed(settings, requests)
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, false])
    expect(result.log).toMatchObject({ outOfOrder: 1, mostBehindMs: 40_000, from: START, to: START + 51_000 })
  })

  it('a replay waits for a policy function that is not synchronous', async () => {
    const requests = Array.from({ length: 5 }, (_, i) => ({
      at: START + i,
      ip: '203.0.113.1',
      user: undefined,
    }))
    const settings: LimiterSettings = { policy: async () => ({ name: 'late', limit: 2, window: 60 }) }
    const { decisions, result } = await replayed(settings, requests)
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false, false, false])
    expect(result.policies).toMatchObject([{ policy: 'late', requests: 5, refused: 3 }])
  })

  it('a replay leaves out a policy of requests in flight, and says so', async () => {
    const settings: LimiterSettings = {
      policy: [
        { name: 'flight', limit: 1, algorithm: 'concurrency', ttl: 60 },
        { name: 'rate', limit: 1, window: 60 },
      ],
    }
    const { result } = await replayed(settings, [{ at: START, ip: '203.0.113.1', user: undefined }])
    expect(result.policies.map(({ policy: name }) => name)).toEqual(['rate'])
    expect(result.notes).toContainEqual(expect.stringMatching(/^flight counts requests in flight/))
  })

  it('a replay counts no more keys than it may, and tells how many requests that concerns', async () => {
    const replay = new Replay({
      settings: { policy: { name: 'a', limit: 1, window: 60 } },
      limitsFor: () => [],
      mostKeys: 10,
    })
    const text = Array.from(
      { length: 25 },
      (_, i) => `${JSON.stringify({ time: START, ip: `203.0.113.${i}` })}\n`,
    ).join('')
    const summary = await readLogs([{ name: 'log', from: Readable.from([Buffer.from(text)]) }], {}, each =>
      replay.add(each),
    )
    const {
      policies: [only],
      notes,
    } = resultOf(replay, summary, 0)
    expect(only).toMatchObject({ keys: 10, requests: 25 })
    expect(notes.join(' ')).toContain('15 requests of the others')
  })
})
