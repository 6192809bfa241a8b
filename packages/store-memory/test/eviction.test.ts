import { Mode, type Demand, type Rule } from '@halt/core/store'
import { ManualClock } from '@halt/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { InMemoryStore } from '../src/index.ts'
import { rule } from './rule.ts'

const blocking: Rule = { ...rule, counter: 'b:t', cooldown: 600e6 }

function take(store: InMemoryStore, subject: string, of: Rule = rule): boolean {
  const demand: Demand = { rule: of, subject, cost: 1, mode: Mode.CHARGE, penalized: false }
  return store.evaluate({ demands: [demand] }).allowed
}

/** Sends checks until the subject is refused. */
function exhaust(store: InMemoryStore, subject: string, of: Rule = rule): void {
  while (take(store, subject, of));
}

describe('the cap of InMemoryStore', () => {
  it('the cap bounds the number of keys', () => {
    const store = new InMemoryStore({ maxKeys: 100 })
    for (let i = 0; i < (isFull ? 10_000 : 3_000); i++) {
      take(store, `ip:${i}`)
      expect(store.size).toBeLessThanOrEqual(100)
    }
  })

  it('the cap bounds the keys of many policies with few keys each', () => {
    const store = new InMemoryStore({ maxKeys: 100 })
    for (let i = 0; i < 5_000; i++) take(store, 'ip:1', { ...rule, counter: `p${i}:t` })
    expect(store.size).toBeLessThanOrEqual(100)
  })

  it('looks at counters that do not exist leave nothing, however many policies there are', () => {
    const store = new InMemoryStore({ maxKeys: 100 })
    take(store, 'ip:1')
    for (let i = 0; i < 5_000; i++) {
      const looked: Rule = { ...rule, counter: `p${i}:t` }
      const demand: Demand = { rule: looked, subject: 'ip:1', cost: 1, mode: Mode.PEEK, penalized: false }
      store.evaluate({ demands: [demand] })
    }
    // A table takes 2 kB. Those of the last few hundred looks may be there still.
    expect(store.bytes).toBeLessThan(300 * 2048)
    expect(store.size).toBe(1)
    expect(take(store, 'ip:1', { ...rule, counter: 'p0:t' })).toBe(true)
  })

  it('a refused key stays refused under a flood of 100 times as many others', () => {
    const clock = new ManualClock()
    const maxKeys = isFull ? 1_000 : 300
    const store = new InMemoryStore({ maxKeys, clock: clock.now })
    exhaust(store, 'ip:attacker')
    for (let i = 0; i < 100 * maxKeys; i++) take(store, `ip:${i}`)
    expect(take(store, 'ip:attacker')).toBe(false)
  })

  it('a blocked key stays blocked under a flood, even after its bucket is full again', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ maxKeys: 1_000, clock: clock.now })
    exhaust(store, 'ip:attacker', blocking)
    clock.advance(300)
    for (let i = 0; i < 20_000; i++) take(store, `ip:${i}`)
    expect(take(store, 'ip:attacker', blocking)).toBe(false)
    clock.advance(301)
    expect(take(store, 'ip:attacker', blocking)).toBe(true)
  })

  it('a full store frees only the key whose refusal ends soonest when every key is refused', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ maxKeys: 50, clock: clock.now })
    for (let i = 0; i < 50; i++) {
      exhaust(store, `ip:${i}`, blocking)
      clock.advance(1)
    }
    exhaust(store, 'ip:new', blocking)
    expect(take(store, 'ip:49', blocking)).toBe(false)
    expect(take(store, 'ip:1', blocking)).toBe(false)
    expect(take(store, 'ip:0', blocking)).toBe(true)
  })

  it('expired counters go before any other, without a timer', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ maxKeys: 1_000_000, clock: clock.now })
    for (let i = 0; i < 10_000; i++) take(store, `ip:${i}`)
    clock.advance(61)
    for (let i = 0; i < 10_000; i++) take(store, `user:${i}`)
    expect(store.size).toBeLessThan(10_100)
  })

  it('a refused key is never freed while another can go, whatever the order of calls', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 50, maxLength: 400 }), subjects => {
        const clock = new ManualClock(1e12)
        const store = new InMemoryStore({ maxKeys: 8, clock: clock.now })
        const refused = new Set<number>()
        for (const subject of subjects) {
          const allowed = take(store, `ip:${subject}`)
          if (!allowed) refused.add(subject)
          if (refused.size > 6) break
          for (const held of refused) if (held === subject && allowed) return false
        }
        return true
      }),
    )
  })
})

describe('a counter of InMemoryStore that is full again', () => {
  // A unit comes back in a microsecond.
  const quick: Rule = { ...rule, counter: 'q:t', limit: 1e6, capacity: 1e6, unit: 1, rate: 1, window: 1e6 }

  it('a full counter is still there when its client comes back within a second', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ clock: clock.now })
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 1000; i++) take(store, `ip:${i}`, quick)
      clock.advance('900ms')
      expect(store.size).toBe(1000)
    }
  })

  it('a full counter is dropped after a second, when other clients come', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ clock: clock.now })
    let most = 0
    for (let i = 0; i < 20_000; i++) {
      take(store, `ip:${i}`, quick)
      clock.advance('1ms')
      most = Math.max(most, store.size)
    }
    // A thousand come in a second. Each lets the store visit two, so those that wait for a visit are no more than these.
    expect(most).toBeLessThanOrEqual(2010)
  })

  it('a full counter is dropped at once when there are more than 65 536 counters', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ clock: clock.now })
    for (let i = 0; i < 70_000; i++) take(store, `ip:${i}`, quick)
    expect(store.size).toBe(70_000)
    for (let i = 0; i < 10_000; i++) {
      clock.advance('0.01ms')
      take(store, `user:${i}`, quick)
    }
    expect(store.size).toBeLessThanOrEqual(65_537)
  })

  it.each([
    ['of the same policy', 'q:t'],
    ['of another policy', 'other:t'],
  ])('a full counter makes no counter %s go that still counts, in a store of few keys', (_, counter) => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ maxKeys: 1000, clock: clock.now })
    const long: Rule = { ...rule, counter, limit: 1, capacity: 1, unit: 3600e6, rate: 1 }
    for (let i = 0; i < 500; i++) take(store, `live:${i}`, long)
    for (let i = 0; i < 20_000; i++) {
      clock.advance('0.1ms')
      take(store, `ip:${i}`, quick)
    }
    for (let i = 0; i < 500; i++) expect(take(store, `live:${i}`, long)).toBe(false)
  })
})

describe('a key of InMemoryStore that is not refused', () => {
  it('an idempotency key is evicted before a blocked key', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ maxKeys: 100, clock: clock.now })
    exhaust(store, 'ip:attacker', blocking)
    const demand: Demand = { rule, subject: 'user:1', cost: 0, mode: Mode.CHARGE, penalized: false }
    for (let i = 0; i < 1_000; i++)
      store.evaluate({
        demands: [demand],
        idempotency: { subject: 'user:1', counter: `p@${i}:i`, window: 86_400e6 },
      })
    expect(take(store, 'ip:attacker', blocking)).toBe(false)
  })

  it('a key of another policy is evicted before a blocked key', () => {
    const store = new InMemoryStore({ maxKeys: 100, clock: new ManualClock().now })
    for (let i = 0; i < 50; i++) exhaust(store, `ip:${i}`, blocking)
    for (let i = 0; i < 50; i++) take(store, `ip:${i}`)
    for (let i = 100; i < 150; i++) exhaust(store, `ip:${i}`, blocking)
    for (let i = 0; i < 50; i++) expect(take(store, `ip:${i}`, blocking)).toBe(false)
  })

  it('a key whose refusal has ended is evicted before a refused key', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ maxKeys: 100, clock: clock.now })
    const short: Rule = { ...blocking, counter: 's:t', cooldown: 1e6, window: 6000e6, unit: 3000e6 }
    for (let i = 0; i < 50; i++) exhaust(store, `ip:${i}`, { ...short, cooldown: 10_000e6 })
    for (let i = 50; i < 100; i++) exhaust(store, `ip:${i}`, short)
    clock.advance('5000s')
    for (let i = 200; i < 250; i++) exhaust(store, `ip:${i}`, { ...short, cooldown: 10_000e6 })
    for (let i = 0; i < 50; i++) expect(take(store, `ip:${i}`, short)).toBe(false)
  })
})

describe('the counters of routes in InMemoryStore', () => {
  const ofRoute = (i: number): Rule => ({ ...rule, counter: `p@GET:/${i}:t` })

  it('counters of routes stay where they are when tables of other routes come and go', () => {
    const store = new InMemoryStore({ clock: new ManualClock().now })
    for (let i = 0; i < 300; i++) exhaust(store, 'user:1', ofRoute(i))
    for (let i = 0; i < 60; i++) store.forget([{ subject: 'user:1', counter: ofRoute(i).counter }])
    for (let i = 300; i < 700; i++) exhaust(store, 'user:1', ofRoute(i))
    for (let i = 0; i < 700; i++) expect(take(store, 'user:1', ofRoute(i))).toBe(i < 60)
  })

  it('counters of an unused route go when they have expired, beside many routes in use', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ clock: clock.now })
    for (let i = 0; i < 5000; i++) take(store, `user:${i}`, ofRoute(0))
    clock.advance(62)
    for (let i = 1; i < 60; i++) take(store, 'user:1', ofRoute(i))
    for (let i = 0; i < 6000; i++) take(store, `user:${i}`, ofRoute(1))
    expect(store.size).toBeLessThan(6100)
  })
})

describe('the names of InMemoryStore', () => {
  it('the name of a subject differs from the same text made of a subject and a route', () => {
    const store = new InMemoryStore({ clock: new ManualClock().now })
    exhaust(store, 'user:42', { ...rule, counter: 'p@GET/x:t' })
    expect(take(store, 'user:42 GET/x')).toBe(true)
  })

  it('long names that differ in the last letter are different', () => {
    const store = new InMemoryStore({ clock: new ManualClock().now })
    const long = `user:${'x'.repeat(10_000)}`
    exhaust(store, `${long}a`)
    expect([take(store, `${long}b`), take(store, `${long}a`)]).toEqual([true, false])
    store.forget([{ subject: `${long}a`, counter: 'p:t' }])
    expect(take(store, `${long}a`)).toBe(true)
  })
})

describe('the numbers of InMemoryStore', () => {
  it('the numbers of InMemoryStore stay exact beyond 32 bits', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ clock: clock.now })
    // 25 000 units per hour: a debt of 3 600 000 000 at 144 000 per unit, and beyond 2^32 with a burst of 40 000.
    const wide: Rule = {
      ...rule,
      counter: 'w:t',
      limit: 25_000,
      capacity: 40_000,
      unit: 144_000,
      rate: 1,
      window: 3600e6,
    }
    take(store, 'user:other', wide)
    for (let i = 0; i < 40_000; i++) expect(take(store, 'user:1', wide)).toBe(true)
    expect(take(store, 'user:1', wide)).toBe(false)
    for (let i = 1; i < 40_000; i++) take(store, 'user:other', wide)
    expect(take(store, 'user:other', wide)).toBe(false)
    clock.advance('144ms')
    expect([take(store, 'user:1', wide), take(store, 'user:1', wide)]).toEqual([true, false])
  })

  it('the numbers of InMemoryStore stay exact over years and under ten thousand changes of the limit', () => {
    const clock = new ManualClock(1e12)
    const store = new InMemoryStore({ clock: clock.now })
    for (let i = 1; i <= 10_000; i++) {
      const changed: Rule = { ...rule, unit: 30e6 + i }
      expect([
        take(store, 'user:1', changed),
        take(store, 'user:1', changed),
        take(store, 'user:1', changed),
      ]).toEqual([true, true, false])
      clock.advance('2h')
    }
  })
})
