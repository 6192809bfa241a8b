import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { guard } from '../../src/http/index.ts'
import type { Decision, Policy } from '../../src/index.ts'
import { HeldCosts } from '../../src/charge/held-costs.ts'
import { times, view, world } from '../world.ts'

const logins: Policy = { name: 'logins', limit: 3, window: 3600, algorithm: 'fixed-window', inFlight: 2 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A world whose clock and timers move together. */
function lasting() {
  const { clock, limiter } = world()
  const own = limiter(logins)
  return {
    own,
    left: async (): Promise<number | undefined> => (await own.peek(view())).verdicts[0]?.remaining,
    pass: async (seconds: number): Promise<void> => {
      clock.advance(seconds)
      await vi.advanceTimersByTimeAsync(seconds * 1000)
    },
  }
}

describe('a request with inFlight that is never settled', () => {
  it('a request that is never settled is charged once when its lease ends, before another takes its place', async () => {
    const { own, left, pass } = lasting()
    const lost = await times(2, own)
    expect(lost.map(({ allowed }) => allowed)).toEqual([true, true])
    await pass(58)
    expect((await own.check(view())).allowed).toBe(false)
    await pass(1)
    expect(await left()).toBe(1)
    await pass(600)
    expect(await left()).toBe(1)
  })

  it('a limit admits at most limit + inFlight of an attacker’s requests, however long the attack lasts', async () => {
    const { own, pass } = lasting()
    let tried = 0
    for (let round = 0; round < 10; round++) {
      tried += (await times(20, own)).filter(({ allowed }) => allowed).length
      await pass(67)
    }
    expect(tried).toBe(4)
  })

  it('a request that was charged when its lease ended is not charged again by a later end', async () => {
    const { own, left, pass } = lasting()
    const lost = await own.check(view())
    await pass(60)
    await own.release(lost)
    await own.conclude(lost, true)
    expect(await left()).toBe(2)
  })

  it.each([
    [true, false, 2],
    [false, true, 3],
    [Promise.resolve(true), false, 2],
    [Promise.resolve(false), true, 3],
  ])('a request counts as the application first concluded: %s, then %s', async (first, second, remaining) => {
    const { own, left } = lasting()
    const decision = await own.check(view())
    await Promise.all([own.conclude(decision, first), own.conclude(decision, second)])
    await own.conclude(decision, second)
    await own.release(decision)
    expect(await left()).toBe(remaining)
  })

  it.each<[string, (own: ReturnType<typeof lasting>['own'], decision: Decision) => Promise<void>]>([
    ['settle', (own, decision) => own.settle(decision, 0)],
    ['conclude', (own, decision) => own.conclude(decision, false)],
  ])('a request is refunded when %s reports later that it was good', async (_, end) => {
    const { own, left, pass } = lasting()
    const late = await own.check(view())
    await pass(60)
    expect(await left()).toBe(2)
    await end(own, late)
    expect(await left()).toBe(3)
  })

  it('a request that is never settled is charged when the limiter is closed', async () => {
    const { own, left } = lasting()
    await times(2, own)
    await own.close()
    expect(await left()).toBe(1)
  })
})

describe('a request with inFlight that was settled', () => {
  it('a settled request frees its place at once, and is not charged when its lease would have ended', async () => {
    const { own, left, pass } = lasting()
    for (let i = 0; i < 5; i++) await own.settle(await own.check(view()), 0)
    expect(await left()).toBe(3)
    await pass(120)
    expect(await left()).toBe(3)
  })

  it('a request keeps its place while chargeWhen is pending, even after the response has ended', async () => {
    const { own, left } = lasting()
    let answer: ((counts: boolean) => void) | undefined
    const gate = guard(own, { chargeWhen: () => new Promise(resolve => (answer = resolve)) })
    const good = await gate.enter(view(), {})
    const other = await gate.enter(view(), {})
    gate.decided(good, {})
    gate.leave(good)
    expect((await own.check(view())).allowed).toBe(false)
    answer?.(false)
    await expect.poll(async () => (await own.peek(view())).allowed).toBe(true)
    gate.leave(other)
    expect(await left()).toBe(2)
  })
})

describe('a timer that is a number, as on Workers,', () => {
  it('a timer that keeps a process alive ends with the last request whose cost is held', async () => {
    const { own } = lasting()
    const after = globalThis.setTimeout
    vi.stubGlobal('setTimeout', (callback: () => void, ms: number) => Number(after(callback, ms)))
    try {
      const [first, second] = await times(2, own)
      expect(vi.getTimerCount()).toBe(1)
      await own.settle(first!, 0)
      expect(vi.getTimerCount()).toBe(1)
      await own.conclude(second!, true)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

describe('HeldCosts', () => {
  it('HeldCosts charges the oldest costs early when there are too many', () => {
    const taken: number[] = []
    const waiting = new HeldCosts<number>(held => void taken.push(held))
    for (let i = 0; i < 100_001; i++) waiting.add(i)
    expect([taken.length, taken[0], taken.at(-1)]).toEqual([1000, 0, 999])
    expect(waiting.drain().length).toBe(99_001)
  })

  it('HeldCosts works without its timer, which a runtime may end', () => {
    const taken: number[] = []
    const waiting = new HeldCosts<number>(held => void taken.push(held))
    waiting.add(1)
    vi.clearAllTimers()
    vi.advanceTimersByTime(70_000)
    expect(taken).toEqual([])
    waiting.add(2)
    expect(taken).toEqual([1])
  })
})
