import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { RatePolicy } from '../../src/index.ts'
import { processes, type Use } from './processes.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A process is busy for a while, so that it takes units in advance; after a pause others ask for all they can get, and it does too. */
interface Scene {
  readonly busy: number
  /** Milliseconds in which the busy process asks for one unit each. */
  readonly ms: number
  /** Milliseconds in which nobody asks. */
  readonly pause: number
  readonly rush: number
  /** The requests of the rush, and their cost. */
  readonly requests: number
  readonly cost: number
  /** The requests of the busy process during the rush. */
  readonly late: number
}

const COUNT = 3
const scenes = fc.array(
  fc.record({
    busy: fc.nat(COUNT - 1),
    ms: fc.integer({ min: 6, max: 24 }),
    pause: fc.nat(30),
    rush: fc.nat(COUNT - 1),
    requests: fc.constantFrom(5, 60, 120),
    cost: fc.constantFrom(1, 1, 3),
    late: fc.nat(30),
  }),
  { minLength: 1, maxLength: 4, size: 'max' },
)
const delays = fc.array(fc.nat(2), { minLength: 1, maxLength: 5 })
const share = fc.constantFrom(0.1, 0.3, 0.5)

async function play(plan: readonly Scene[], policy: RatePolicy, delays: readonly number[]): Promise<Use[]> {
  let calls = 0
  const delay = (): number => delays[calls++ % delays.length] as number
  // Each process takes itself for the only one. That must not make it less exact.
  const { use, uses, pass } = processes(COUNT, policy, { delay, instances: 1 })
  const running: Promise<void>[] = []
  const ask = (process: number, requests: number, cost = 1): void => {
    for (let i = 0; i < requests; i++) running.push(use(process, cost))
  }
  for (const { busy, ms, pause, rush, requests, cost, late } of plan) {
    for (let i = 0; i < ms; i++) {
      ask(busy, 1)
      await pass(1)
    }
    await pass(pause)
    ask(rush, requests, cost)
    ask(busy, late)
    await pass(1)
    ask(busy, late)
  }
  await pass(20)
  await Promise.all(running)
  return uses.toSorted((a, b) => a.order - b.order)
}

/** The units that an exact bucket owes before each use. */
function debts({ limit, window }: RatePolicy, uses: readonly Use[]): number[] {
  const unit = (Number(window) * 1000) / limit
  let [debt, last] = [0, 0]
  return uses.map(({ at, units, allowed }) => {
    debt = Math.max(0, debt - (at - last) / unit)
    last = at
    const before = debt
    if (allowed) debt += units
    return before
  })
}

/** Expects that an exact bucket had admitted each use that was admitted, and had at most `withheld` left for each that was refused. */
function expectExact(policy: RatePolicy, burst: number, withheld: number, uses: readonly Use[]): void {
  const before = debts(policy, uses)
  for (const [i, { allowed, units }] of uses.entries()) {
    const left = burst - (before[i] as number) - units
    if (allowed) expect(left).toBeGreaterThanOrEqual(-1e-6)
    else expect(left).toBeLessThan(withheld)
  }
}

const bucket = fc.record({
  /** Milliseconds for a unit. */
  unit: fc.constantFrom(1, 10),
  burst: fc.constantFrom(40, 100),
  share,
  idle: fc.constantFrom('10ms', '40ms', '500ms'),
})

it('a leased bucket admits no unit that an exact one would refuse, and refuses early by the leases at most', () =>
  fc.assert(
    fc.asyncProperty(scenes, bucket, delays, async (plan, { unit, burst, ...lease }, each) => {
      const policy: RatePolicy = { name: 'hot', limit: 1000 / unit, window: 1, burst, lease }
      expectExact(policy, burst, COUNT * lease.share * burst, await play(plan, policy, each))
    }),
    { numRuns: isFull ? 60 : 15 },
  ))

it('units of a bucket that are used just before they expire count as if they had been taken then', async () => {
  const policy: RatePolicy = { name: 'hot', limit: 1000, window: 1, burst: 100, lease: { share: 0.5 } }
  // Units are held for a few milliseconds: another process empties the bucket in each of them, and then the holder uses its own.
  for (let pause = 0; pause < 12; pause++) {
    const scene = { busy: 0, ms: 24, pause, rush: 1, requests: 120, cost: 1, late: 30 }
    expectExact(policy, 100, COUNT * 0.5 * 100, await play([scene, scene], policy, [0]))
  }
})

it('a leased sliding window admits no unit that its limit forbids', () =>
  fc.assert(
    fc.asyncProperty(scenes, share, delays, async (plan, part, each) => {
      const policy: RatePolicy = {
        name: 'hot',
        limit: 80,
        window: '60ms',
        algorithm: 'sliding-window',
        lease: { share: part, idle: '50ms' },
      }
      const admitted = (await play(plan, policy, each)).filter(({ allowed }) => allowed)
      for (const { at: start } of admitted) {
        const within = admitted.filter(({ at }) => at >= start && at < start + 60)
        expect(within.reduce((sum, { units }) => sum + units, 0)).toBeLessThanOrEqual(80)
      }
    }),
    { numRuns: isFull ? 40 : 10 },
  ))
