// Tenants that share a bucket whose numbers change, or differ between processes.
import { expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { RateLimiter, type RatePolicy, type Reservation } from '@halt/core'
import { Control } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '@halt/core/testing'

const BACKEND: RatePolicy = {
  name: 'backend',
  limit: 200,
  window: '1s',
  keyStrategy: 'shared',
  fair: { by: 'user' },
}

interface Scene {
  /** The numbers of the processes, which take turns. */
  readonly processes: readonly Partial<RatePolicy>[]
  /** What an operator sets after two seconds. */
  readonly change?: { readonly limit?: number; readonly burst?: number }
  /** How long a call keeps units that it does not use. Milliseconds. */
  readonly settledAfter?: number
}

/**
 * Two tenants that press beside ten that ask for a tenth of their shares, for two seconds, and two more after the change. Returns what share of
 * their requests the quiet ones had admitted in the last two seconds, and what each loud one got.
 */
async function play({ processes, change, settledAfter = 0 }: Scene) {
  const clock = new ManualClock(1_700_000_000_000)
  const store = new ReferenceStore(clock.now)
  const control = new Control({ store, warn: () => {} })
  const limiters = processes.map(
    numbers =>
      new RateLimiter({ store, control, warn: () => {}, policy: { ...BACKEND, ...numbers } as RatePolicy }),
  )
  const open: { readonly at: number; readonly call: Reservation }[] = []
  const [asked, got] = [new Map<string, number>(), new Map<string, number>()]
  const add = (to: Map<string, number>, user: string): void => void to.set(user, (to.get(user) ?? 0) + 1)
  let calls = 0
  const ask = async (user: string, now: number): Promise<void> => {
    const limiter = limiters[calls++ % limiters.length]!
    const call = await limiter.reserve({ user }, { cost: 2 })
    if (now >= 2000) add(asked, user)
    if (!call.decision.allowed) return
    if (now >= 2000) add(got, user)
    open.push({ at: now + settledAfter, call })
  }
  for (let now = 0; now < 4000; now++) {
    clock.advance('1ms')
    if (now === 2000 && change !== undefined) await control.change('backend', change)
    while (open[0] !== undefined && open[0].at <= now) await open.shift()!.call.settle(1)
    for (let i = 0; i < 3; i++) await ask('loud', now)
    if (now % 2 === 0) await ask('heavy', now)
    for (let q = 0; q < 10; q++) if ((now + q * 47) % 500 === 0) await ask(`quiet${q}`, now)
  }
  await Promise.all(limiters.map(limiter => limiter.close()))
  control.close()
  const sum = (of: Map<string, number>): number =>
    [...of].reduce((all, [user, count]) => all + (user.startsWith('quiet') ? count : 0), 0)
  return { quiet: sum(got) / sum(asked), loud: got.get('loud')!, heavy: got.get('heavy')! }
}

const changes = [{ limit: 2000 }, { burst: 100 }]
it.each(isFull ? [{ limit: 220 }, { limit: 100 }, { burst: 400 }, ...changes] : changes)(
  'calls that are settled after a change of the numbers leave the shares as they are: %o',
  async change => {
    const { quiet } = await play({ processes: [{}], change, settledAfter: 1500 })
    // Where the bucket holds fewer units, it is overfull at first.
    expect(quiet).toBeGreaterThanOrEqual(0.9)
  },
)

const pairs: [Partial<RatePolicy>, Partial<RatePolicy>][] = [
  [{ limit: 200 }, { limit: 400, window: '2s', burst: 200 }],
  [{ limit: 100, burst: 200 }, { limit: 200 }],
]
it.each(isFull ? [[{ limit: 200 }, { limit: 220 }] as const, ...pairs] : pairs)(
  'processes that have other numbers for a while share fairly all the same: %o and %o',
  async (...processes) => {
    const { quiet, loud, heavy } = await play({ processes })
    expect(quiet).toBeGreaterThanOrEqual(0.99)
    expect(loud / heavy).toBeLessThan(1.5)
  },
)

it.each([undefined, BACKEND.fair])(
  'a limit that was lowered holds while old calls are settled, with fair: %o',
  async fair => {
    const clock = new ManualClock(1_700_000_000_000)
    const store = new ReferenceStore(clock.now)
    const control = new Control({ store, warn: () => {} })
    const policy = { ...BACKEND, limit: 1000, burst: 100, fair } as RatePolicy
    const limiter = new RateLimiter({ store, control, warn: () => {}, policy })
    // Another process, which has not heard of the change.
    const other = new RateLimiter({ store, warn: () => {}, policy })
    const open: Reservation[] = []
    for (let i = 0; i < 200; i++) {
      clock.advance('10ms')
      open.push(await other.reserve({ user: 'a' }, { cost: 2 }))
    }
    await control.change('backend', { limit: 10, burst: 100 })
    let admitted = 0
    for (const call of open) {
      clock.advance('10ms')
      await call.settle(1)
      while ((await limiter.consume({ user: 'b' })).allowed) admitted++
    }
    // The burst, 20 units of two seconds, and what the calls gave back.
    expect(admitted).toBeLessThanOrEqual(100 + 20 + 200)
    await Promise.all([limiter.close(), other.close()])
    control.close()
  },
)
