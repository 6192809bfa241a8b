import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { expect, it } from 'vitest'

import { feedOf } from '../../src/live/feed.ts'
import { KeyMask } from '../../src/live/key-mask.ts'
import { Recorder } from '../../src/live/recorder.ts'

const LEVEL = { limit: 10, perSecond: 1, remaining: 10 }

it('the recorder keeps a bounded number of policies, keys and events', async () => {
  const recorder = new Recorder()
  const store = new InMemoryStore()
  for (let i = 0; i < 200; i++) {
    const policy = { name: `policy_${i}`, limit: 1, window: 60, keyStrategy: 'user' } as const
    const limiter = new RateLimiter({ store, policy, telemetry: recorder, warn: () => {} })
    for (let n = 0; n < 3; n++) await limiter.consume({ user: `user-${i}` })
    recorder.onQuotaExceeded(`user:${i}`, {
      name: 'month',
      used: 8,
      remaining: 0,
      limit: 8,
      granted: 0,
      resetAt: 0,
    })
  }
  const recording = recorder.read()
  expect(recording.policies).toHaveLength(64)
  expect(recording.refusedKeys).toHaveLength(8)
  expect(recording.events).toHaveLength(30)
  expect(JSON.stringify(feedOf(recording, LEVEL, new KeyMask(), Date.now())).length).toBeLessThan(40_000)
})

it.each([
  ['HTML', '<script>alert(1)</script>'],
  ['quotes', `"';--`],
  ['line feeds', 'a\r\nevent: hack\n\nb'],
  ['a prefix of its own', 'ip:1.2.3.4'],
  ['a megabyte', 'k'.repeat(1 << 20)],
])('shows no key that holds %s, only a digest', async (_, id) => {
  const recorder = new Recorder()
  const policy = { name: 'api', limit: 1, window: 60, keyStrategy: 'user' } as const
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy, telemetry: recorder })
  for (let i = 0; i < 3; i++) await limiter.consume({ user: id })
  recorder.onPenaltyApplied(`user:${id}`, {
    isActive: true,
    penaltyUntil: 0,
    abuseScore: 3,
    violations: 3,
    lastViolation: 0,
  })
  const feed = feedOf(recorder.read(), LEVEL, new KeyMask(), Date.now())
  const keys = [...feed.policies, ...feed.refusedKeys, ...feed.events].map(({ key }) => key)
  expect(keys).toHaveLength(3)
  for (const key of keys) expect(key).toMatch(/^user #[0-9a-f]{8}$/)
  expect(JSON.stringify(feed)).not.toContain(JSON.stringify(id).slice(1, -1).slice(0, 40))
})

it('a key has one digest in a process, and another one in another process', () => {
  const [one, other] = [new KeyMask(), new KeyMask()]
  expect(one.hide('user:ann')).toBe(one.hide('user:ann'))
  expect(one.hide('user:ann')).not.toBe(one.hide('user:ben'))
  expect(one.hide('user:ann')).not.toBe(other.hide('user:ann'))
})
