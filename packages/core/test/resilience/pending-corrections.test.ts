import { describe, expect, it } from 'vitest'

import { NOBODY_AHEAD } from '../../src/algorithms/index.ts'
import { compileRule } from '../../src/policy/rule-compiler.ts'
import { PendingCorrections } from '../../src/resilience/pending-corrections.ts'
import { keyOfDemand } from '../../src/store/counter-key.ts'
import { type Demand, Mode } from '../../src/databases/index.ts'
import { times, view } from '../world.ts'
import { failableLimiter, pause } from './faulty-store.ts'

const SECOND = 1e6
const rule = compileRule(
  {
    algorithm: 'concurrency',
    counter: 'c',
    limit: 10,
    capacity: 10,
    window: 60 * SECOND,
    precision: 10,
    cooldown: 0,
    floor: 1,
  },
  undefined,
)
const release = (subject: string, receipt = 1): Demand => ({
  rule,
  subject,
  cost: -1,
  mode: Mode.SETTLE,
  chargedTo: receipt,
  penalized: false,
})
const taken = (owed: PendingCorrections, now = 0): [string, number][] =>
  owed.take(now, now, 10_000).map(({ demands }) => [demands[0]?.subject ?? '', demands[0]?.cost ?? 0])

describe('PendingCorrections', () => {
  it('PendingCorrections sums up the corrections of one part of a counter, and returns each sum once', () => {
    const owed = new PendingCorrections()
    owed.add({ demands: [release('a'), release('b')] }, 0)
    owed.add({ demands: [release('a'), release('a', 2)] }, 0)
    expect(taken(owed)).toEqual([
      ['b', -1],
      ['a', -2],
      ['a', -1],
    ])
    expect([owed.size, taken(owed)]).toEqual([0, []])
  })

  it('PendingCorrections keeps nothing of corrections that undo each other', () => {
    const owed = new PendingCorrections()
    owed.add({ demands: [release('a')] }, 0)
    owed.add({ demands: [{ ...release('a'), cost: 1 }] }, 0)
    expect([owed.size, taken(owed)]).toEqual([0, []])
  })

  it('PendingCorrections drops corrections that are too late, and those beyond ten thousand', () => {
    const owed = new PendingCorrections()
    owed.add({ demands: [release('a')] }, 0)
    expect(taken(owed, 100 * SECOND)).toEqual([])
    for (let i = 0; i < 10_050; i++) owed.add({ demands: [release(`s${i}`)] }, 0)
    expect(owed.size).toBe(10_000)
    expect(taken(owed)[0]?.[0]).toBe('s50')
  })

  it('PendingCorrections forgets the corrections of a counter that was reset, but not places in a line, which outlives it', () => {
    const owed = new PendingCorrections()
    const inLine = { terms: { place: { position: 5, born: 1 } } }
    owed.add({ demands: [release('a'), { ...release('a'), terms: { place: NOBODY_AHEAD } }] }, 0)
    owed.add({ demands: [{ ...release('a'), cost: -3, ...inLine }, release('b')] }, 0)
    owed.forget(keyOfDemand(release('a')))
    expect(taken(owed)).toEqual([
      ['a', -3],
      ['b', -1],
    ])
  })
})

const flight = { name: 'c', limit: 10, ttl: 600, algorithm: 'concurrency' } as const
const failures = [
  [{ reply: 'LOADING' }, 10],
  [{ unsent: true }, 10],
  // The release may have been applied, so it is not sent again. The place is free after its ttl.
  [{}, 0],
] as const

describe('a release that the store fails', () => {
  it.each(failures)('a release is sent again when it was certainly not applied: %j', async (mark, free) => {
    const { store, limiter } = failableLimiter(flight)
    const decisions = await times(10, limiter)
    Object.assign(store, { fault: 'reject', error: Object.assign(new Error('no'), mark) })
    await Promise.all(decisions.map(decision => limiter.release(decision)))
    store.fault = 'none'
    // It is sent without a further request.
    await pause(700)
    expect((await limiter.peek(view())).remaining).toBe(free)
  })

  it('a release is sent after the outage when the store is known to be unavailable', async () => {
    const { store, limiter, fail, recover } = failableLimiter(flight)
    const decisions = await times(10, limiter)
    fail()
    await times(3, limiter, view({ ip: '198.51.100.7' }))
    const { calls } = store
    await Promise.all(decisions.map(decision => limiter.release(decision)))
    expect(store.calls).toBe(calls)
    await recover()
    expect((await limiter.peek(view())).remaining).toBe(10)
  })

  it('a release that can no longer free anything is dropped, and the store is asked no more', async () => {
    const { store, limiter, fail } = failableLimiter({ ...flight, ttl: 0.3 })
    const [decision] = await times(1, limiter)
    fail()
    await limiter.release(decision!)
    await pause(700)
    expect(store.probes).toBe(1)
    await pause(1200)
    expect(store.probes).toBe(1)
  })

  it('a refund that the store fails is sent again once', async () => {
    const { store, limiter } = failableLimiter({
      name: 'p',
      limit: 10,
      window: 3600,
      algorithm: 'fixed-window',
    })
    const [first] = await times(5, limiter)
    Object.assign(store, { fault: 'reject', error: Object.assign(new Error('no'), { reply: 'BUSY' }) })
    await limiter.settle(first!, 0)
    store.fault = 'none'
    await limiter.check(view())
    await pause(700)
    expect((await limiter.peek(view())).remaining).toBe(5)
  })
})
