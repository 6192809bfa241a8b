// Tenants that share a token bucket, beside the max-min share that each of them should get.
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type Asker, crowd, jain, maxMin, type Served, shared } from './crowd.ts'

const HALF = isFull ? 1500 : 1000
const many = (count: number, asker: Omit<Asker, 'name'>, name = 'q'): Asker[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${name}${i}`, ...asker }))

const total = (served: Record<string, Served>): number =>
  Object.values(served).reduce((sum, { got }) => sum + got, 0)

describe('a bucket that tenants share', () => {
  it('a shared bucket gives quiet tenants all that they ask for, however loud one is', async () => {
    const quiet = many(20, { rate: 4 })
    const served = await crowd(shared(200), [{ name: 'loud', rate: 4000 }, ...quiet], 2 * HALF)
    for (const { name } of quiet) expect(served[name]!.got).toBe(served[name]!.asked)
    // The limit is used up: what the quiet ones leave goes to the loud one.
    expect(total(served) / ((200 * HALF) / 1000)).toBeGreaterThan(0.99)
  })

  it('a shared bucket gives tenants that want more equal shares, however hard each of them presses', async () => {
    const heavy = [
      { name: 'a', rate: 4000 },
      { name: 'b', rate: 400 },
      { name: 'c', rate: 100 },
    ]
    const served = await crowd(shared(200), heavy, 2 * HALF)
    expect(jain(heavy.map(({ name }) => served[name]!.got))).toBeGreaterThan(0.999)
  })

  it('a shared bucket gives tenants of other weights shares by weight, within 2 percent', async () => {
    const heavy = [1, 5, 2].map((weight, i) => ({ name: `t${i}`, rate: 1500, weight }))
    const served = await crowd(shared(400), heavy, isFull ? 4000 : 2500, 1000)
    const perWeight = heavy.map(({ name, weight }) => served[name]!.got / weight)
    expect(Math.max(...perWeight) / Math.min(...perWeight)).toBeLessThan(1.02)
  })

  it('a shared bucket gives each tenant its max-min share of demands that differ', async () => {
    const askers = [3, 9, 27, 60, 90, 300, 1500].map((rate, i) => ({
      name: `t${i}`,
      rate,
      weight: 1 + (i % 3),
    }))
    const wanted = maxMin(200, askers)
    const served = await crowd(shared(200), askers, 5000, 1000)
    for (const [i, { name }] of askers.entries())
      expect(Math.abs(served[name]!.got / 4 - wanted[i]!)).toBeLessThanOrEqual(0.02 * wanted[i]! + 1)
  })

  it('a shared bucket gives large requests the same share as small ones', async () => {
    const askers = [
      { name: 'large', rate: 40, cost: 40 },
      { name: 'small', rate: 1000, cost: 1 },
      { name: 'middle', rate: 150, cost: 10 },
    ]
    const served = await crowd(shared(400), askers, 6000, 1000)
    expect(jain(askers.map(({ name }) => served[name]!.got))).toBeGreaterThan(0.99)
  })

  it('a shared bucket gives a lone tenant the whole limit, and holds nothing of it against the tenant later', async () => {
    const served = await crowd(
      shared(100),
      [
        { name: 'first', rate: 1000 },
        { name: 'second', rate: 1000, from: 3000 },
      ],
      4000,
      2000,
    )
    const alone = served['first']!.at.filter(at => at < 3000).length
    expect(alone).toBeGreaterThanOrEqual(99)
    // The newcomer has its half within half a fill of the bucket, and the first one keeps the other half.
    const late = (name: string): number => served[name]!.at.filter(at => at >= 3500).length
    expect(jain([late('first'), late('second')])).toBeGreaterThan(0.99)
  })

  it('a shared bucket gives a tenant the whole limit again soon after the others have left', async () => {
    const others = many(9, { rate: 300, to: 2000 })
    const served = await crowd(shared(100), [{ name: 'stays', rate: 1000 }, ...others], 3500, 0)
    const last = served['stays']!.at.filter(at => at >= 2500).length
    expect(last).toBeGreaterThanOrEqual(90)
  })

  it('a shared bucket never admits more than a plain bucket may', async () => {
    const served = await crowd(shared(100, 50), many(5, { rate: 500 }), 2000, 0)
    const at = Object.values(served)
      .flatMap(one => one.at)
      .sort((a, b) => a - b)
    for (const [i, from] of at.entries())
      for (let j = i; j < at.length; j += 7)
        expect(j - i + 1).toBeLessThanOrEqual(50 + ((at[j]! - from) * 100) / 1000 + 1e-9)
  })

  const bursts = [
    [16, 0.97],
    [32, 0.99],
  ] as const
  it.each(isFull ? bursts : bursts.slice(0, 1))(
    'a burst of %i of a shared bucket gives quiet tenants %f of what they ask',
    async (burst, least) => {
      const quiet = many(30, { rate: 2 })
      const heavy = [3000, 400, 150].map((rate, i) => ({ name: `h${i}`, rate }))
      const served = await crowd(shared(200, burst), [...heavy, ...quiet], 5000, 1000)
      const of = (what: 'got' | 'asked'): number =>
        quiet.reduce((sum, { name }) => sum + served[name]![what], 0)
      expect(of('got') / of('asked')).toBeGreaterThanOrEqual(least)
    },
  )
})
