import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'

import { world } from '../world.ts'

describe('a signal that many callers share', () => {
  const policy = { name: 'calls', limit: 1, window: 10 }

  it('has one listener for all of them, and none when they have left', async () => {
    const limiter = world().limiter(policy)
    const leaving = new AbortController()
    const turns = Array.from({ length: 30 }, () =>
      limiter.acquire('stripe', { maxWait: '1h', signal: leaving.signal }),
    )
    await turns[0]
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(1)
    leaving.abort(new Error('stopped'))
    const ends = await Promise.allSettled(turns)
    expect(ends.map(end => (end.status === 'rejected' ? String(end.reason) : end.value.allowed))).toEqual([
      true,
      ...Array.from({ length: 29 }, () => 'Error: stopped'),
    ])
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0)
    expect((await limiter.explain('stripe')).policies[0]?.line).toBeUndefined()
  })

  it('has no listener after the turn of the last caller, and takes new ones', async () => {
    const limiter = world().limiter({ ...policy, limit: 5 })
    const { signal } = new AbortController()
    for (const _ of [1, 2]) {
      await Promise.all([1, 2].map(() => limiter.acquire('stripe', { signal })))
      await Promise.resolve()
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    }
  })
})
