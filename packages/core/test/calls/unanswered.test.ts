// A store that never answers one question, and does not fail either: what this process has to tell it later comes nevertheless.
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { RateLimiter, RateLimiterOptions } from '../../src/index.ts'
import { Mode, type Store } from '../../src/databases/index.ts'
import { endTime, loadCore, newTime, ORIGIN, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import { alice, day } from './budget-world.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

interface World {
  /** Whether the store answers, refuses connections, or never says what became of a correction. */
  state: 'up' | 'away' | 'silent'
  readonly limiter: RateLimiter
  readonly pass: (ms: number) => Promise<void>
  readonly soon: <T>(promise: Promise<T>) => Promise<T>
  readonly read: () => Promise<number[]>
}

async function withSilence(
  onStoreError: RateLimiterOptions['onStoreError'],
  play: (world: World) => Promise<void>,
): Promise<void> {
  const time = newTime(ORIGIN)
  try {
    const inner = new core.ReferenceStore(() => time.unixMs())
    const store: Store = {
      clock: () => inner.clock(),
      evaluate: async group => {
        if (world.state === 'away') throw Object.assign(new Error('away'), { unsent: true })
        const isSilent = world.state === 'silent' && group.demands[0]!.mode === Mode.SETTLE
        return isSilent ? new Promise(() => {}) : inner.evaluate(group)
      },
      forget: counters => inner.forget(counters),
      probe: async () => {},
    }
    const options = { store, policy: day, warn: () => {}, storeTimeout: '100ms', instances: 1 } as const
    const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
    const soon = async <T>(promise: Promise<T>): Promise<T> => (await Promise.all([promise, pass(0)]))[0]
    const limiter = new core.RateLimiter({ ...options, onStoreError })
    const read = async (): Promise<number[]> => {
      const { used, held } = (await soon(new core.QuotaManager(inner).checkQuota('42', day))).quota
      return [used, held]
    }
    const world: World = { state: 'up', limiter, pass, soon, read }
    await play(world)
    await Promise.all([limiter.close(), pass(1000)])
  } finally {
    endTime()
  }
}

it('a settlement that the store missed is told to it, though it has never answered another one', () =>
  withSilence('closed', async world => {
    const { limiter, soon, pass, read } = world
    const first = await soon(limiter.reserve(alice, { cost: 100, ttl: '20s' }))
    const second = await soon(limiter.reserve(alice, { cost: 100, ttl: '20s' }))
    world.state = 'away'
    await soon(first.settle(30))
    world.state = 'silent'
    await pass(1000)
    world.state = 'away'
    await soon(second.settle(40))
    world.state = 'up'
    await pass(2000)
    // What became of the first settlement nobody knows, so its units end by themselves.
    expect(await read()).toEqual([40, 100])
  }))

it('a local charge is written back, though the store has never answered another one', () =>
  withSilence('local', async world => {
    const { limiter, soon, pass, read } = world
    const bob = { user: '7' }
    world.state = 'away'
    await soon(limiter.consume(alice, { cost: 30 }))
    world.state = 'silent'
    await soon(limiter.consume(bob))
    await pass(1000)
    world.state = 'away'
    await soon(limiter.consume(alice, { cost: 40 }))
    world.state = 'up'
    await soon(limiter.consume(bob))
    expect(await read()).toEqual([40, 0])
  }))
