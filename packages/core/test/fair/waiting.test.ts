// Callers that wait for a bucket which their tenants share, in several processes, in virtual time.
import { isFull } from '../../../../tools/full.ts'
import { describe, expect, it } from 'vitest'

import type { Group } from '../../src/databases/index.ts'
import { aWorld, inVirtualTime, keepAsking, perSecond } from '../line/rows.ts'
import { type MakeServer, memoryServer } from '../line/server.ts'
import { loadCore } from '../line/virtual-core.ts'
import type { World } from '../line/world.ts'

inVirtualTime()

interface Scene {
  readonly noisy: number
  readonly processes: number
  readonly quiet: number
  readonly rate: number
  readonly burst: number
  /** The weights of the noisy tenants, in turn. */
  readonly weights: readonly number[]
  readonly seed?: number
}

const SECONDS = 12
/** Callers that each noisy tenant has waiting in each process. */
const BACKLOG = 4

/** Noisy tenants with endless backlogs, and quiet ones that ask for half of their share. */
async function play({ noisy, processes, quiet, rate, burst, weights, seed = 1 }: Scene) {
  const weightOf = new Map(Array.from({ length: noisy }, (_, i) => [`n${i}`, weights[i % weights.length]!]))
  const policy = {
    ...perSecond(rate, burst),
    keyStrategy: 'shared' as const,
    fair: {
      by: 'user' as const,
      weight: (request: { user: { id: string } }) => weightOf.get(request.user.id) ?? 1,
    },
  }
  const world = await aWorld(policy as never, { processes, seed, delays: { least: 300, most: 900 } })
  const sum = [...weightOf.values()].reduce((a, b) => a + b, 0) + quiet
  const share = rate / sum
  for (const user of weightOf.keys())
    for (let p = 0; p < processes; p++) for (let i = 0; i < BACKLOG; i++) keepAsking(world, p, user)
  for (let ms = 0; ms < SECONDS * 1000; ms += 5) {
    for (let q = 0; q < quiet; q++)
      if (world.random.next() < share * 0.5 * 0.005)
        world.ask(q % processes, { user: `q${q}`, maxWaitMs: 600_000 })
    await world.pass(5)
  }
  const starts = world.book.asks.filter(({ end }) => end === 'started')
  const late = starts.filter(({ endedAt }) => endedAt! >= (SECONDS / 2) * 1e6)
  const perWeight = [...weightOf].map(
    ([user, weight]) => late.filter(one => one.user === user).length / weight,
  )
  return {
    used: late.length / ((rate * SECONDS) / 2),
    calls: world.arrivals.length / starts.length,
    spread: Math.max(...perWeight) / Math.min(...perWeight),
    turns: waitsAtHead(late).map(wait => (wait * rate) / sum / 1e6),
  }
}

/** How long the quiet ones waited at the heads of their own lines. Microseconds, sorted. */
function waitsAtHead(starts: World['book']['asks']): number[] {
  const last = new Map<string, number>()
  return starts
    .filter(({ user }) => user.startsWith('q'))
    .sort((a, b) => a.endedAt! - b.endedAt!)
    .map(({ user, askedAt, endedAt }) => {
      const from = Math.max(askedAt, last.get(user) ?? 0)
      last.set(user, endedAt!)
      return endedAt! - from
    })
    .sort((a, b) => a - b)
}

describe('callers of tenants that share a bucket', () => {
  const scenes = [
    ['one noisy tenant', { noisy: 1, processes: 4, quiet: 5, rate: 100, burst: 1, weights: [1] }, 2, 3.5],
    ['ten noisy tenants', { noisy: 10, processes: 4, quiet: 20, rate: 100, burst: 1, weights: [1] }, 2, 4],
    [
      'tenants of weights 1 and 5',
      { noisy: 6, processes: 4, quiet: 10, rate: 100, burst: 1, weights: [1, 5] },
      2.5,
      4,
    ],
  ] as const
  // The short form plays two weights in the next test alone.
  it.each(isFull ? scenes : [scenes[0]])(
    'tenants that share a bucket have fair turns beside %s',
    async (_, scene, turns, calls) => {
      const found = await play(scene)
      expect(found.used).toBeGreaterThan(0.99)
      expect(found.spread).toBeLessThan(1.12)
      expect(found.turns.at(-1)).toBeLessThan(turns)
      expect(found.calls).toBeLessThanOrEqual(calls)
    },
  )

  it.each(isFull ? [1, 2, 3, 4, 5, 6] : [1])(
    'callers of weights 1 and 5 in 16 processes have fair turns in every order of events: %i',
    async seed => {
      const weights = [1, 5]
      const found = await play({ noisy: 10, processes: 16, quiet: 20, rate: 100, burst: 1, weights, seed })
      expect(found.used).toBeGreaterThan(0.99)
      // A tenant of weight 1 has some 16 turns in the measured time, one more or less.
      expect(found.spread).toBeLessThan(1.25)
      expect(found.turns.at(-1)).toBeLessThan(2.5)
      expect(found.calls).toBeLessThanOrEqual(6.2)
    },
  )

  it('a caller that gives up gives its ticket back, and leaves nothing behind', async () => {
    const policy = { ...perSecond(10), keyStrategy: 'shared', fair: { by: 'user' } }
    const world = await aWorld(policy as never, { delays: { least: 300, most: 900 } })
    for (let i = 0; i < 3; i++) world.ask(0, { user: 'a' })
    const leaving = Array.from({ length: 5 }, () => world.ask(0, { user: 'b' }))
    await world.pass(250)
    for (const caller of leaving) caller.leaving.abort()
    await world.pass(1000)
    const next = world.ask(0, { user: 'b' })
    await world.pass(300)
    expect(next.ask.end).toBe('started')
    expect(world.processes[0]!.limiter.waiting).toBe(0)
  })

  it('callers ask no oftener because others are told of the clock, where another policy makes them wait', async () => {
    const bucket = { ...perSecond(20), keyStrategy: 'shared', fair: { by: 'user' } }
    const window = {
      name: 'window',
      algorithm: 'fixed-window',
      limit: 2,
      window: '1h',
      keyExtractor: (request: { user: { id: string } }) => (request.user.id === 'a' ? 'a' : undefined),
      onMissingKey: 'allow',
    }
    let calls = 0
    const counting: MakeServer = async (clock, time) => {
      const made = await memoryServer(await loadCore())(clock, time)
      const evaluate = (group: Group) => {
        if (group.demands.some(({ rule }) => rule.counter.includes('~user:a'))) calls++
        return made.store.evaluate(group)
      }
      return { ...made, store: { ...made.store, evaluate } }
    }
    const limiter = { policy: [bucket, window] as never }
    const delays = { least: 300, most: 900 }
    const world = await aWorld(bucket as never, { limiter, delays, server: counting })
    for (const user of ['b', 'c', 'd']) for (let i = 0; i < 4; i++) keepAsking(world, 0, user)
    for (let i = 0; i < 4; i++) world.ask(0, { user: 'a', maxWaitMs: 7_200_000 })
    await world.pass(2000)
    calls = 0
    await world.pass(10_000)
    expect(world.waiting.filter(({ user }) => user === 'a')).toHaveLength(2)
    expect(calls).toBeLessThanOrEqual(12)
  })

  it('a caller whose turn is too far away is refused by the first answer of the store', async () => {
    const policy = { ...perSecond(10), keyStrategy: 'shared', fair: { by: 'user' } }
    const world = await aWorld(policy as never, {})
    world.ask(0, { user: 'a' })
    await world.pass(10)
    const impatient = world.ask(0, { user: 'a', maxWaitMs: 20 })
    await world.pass(10)
    expect(impatient.ask).toMatchObject({ end: 'refused', reason: 'limited' })
    // To the store and back.
    expect(impatient.ask.endedAt! - impatient.ask.askedAt).toBe(3000)
  })
})
