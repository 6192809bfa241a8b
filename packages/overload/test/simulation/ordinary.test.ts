// Ordinary users of a healthy process, some of whose requests hang or take long. The book of their fates shares no code with the
// shedder.
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { figuresOf } from './figures.ts'
import { ODDITIES, ordinary, ordinaryDay, PLACES } from './ordinary.ts'
import { Random } from './random.ts'
import { standing } from './runs.ts'
import { type Fate, simulate, type Work } from './simulated-server.ts'

const SEEDS = isFull ? [501, 502, 503, 504, 505, 506] : [501]
const isQuick = ({ work }: Fate): boolean => work.wait === 10 && work.hangs !== true

describe.each(PLACES)('some of the users on %s', place => {
  it.each(ODDITIES)(
    'a shedder refuses at most 1 percent of the others, and none after ten seconds, where $name',
    oddity => {
      for (const seed of SEEDS)
        for (const from of isFull ? [0, 5000] : [0]) {
          const to = from + (isFull ? 30_000 : 20_000)
          const { fates } = simulate(ordinary(oddity, place, seed, { from, to }), standing)
          // Half of that route hangs.
          const isHalf = oddity.share > 0.1 && place === 'a route of quick ones too'
          const { refusedShare } = figuresOf(fates, 0, to, isQuick)
          expect(refusedShare, `seed ${seed}`).toBeLessThanOrEqual(isHalf ? 0.08 : 0.01)
          if (!isHalf) expect(figuresOf(fates, from + 10_000, to, isQuick).refused, `seed ${seed}`).toBe(0)
        }
    },
  )
})

describe('a process all of whose requests take five seconds', () => {
  it.each([20, 50])(
    'a shedder refuses at most 1 percent of requests of five seconds at the start, and none later: %i',
    perSecond => {
      for (const seed of SEEDS) {
        const work = (): Work => ({ cpu: 1, wait: 5000, route: '/slow' })
        const { fates } = simulate({ seed, stretches: [{ from: 0, to: 30_000, perSecond, work }] }, standing)
        expect(figuresOf(fates, 0, 30_000).refusedShare).toBeLessThanOrEqual(0.01)
        expect(figuresOf(fates, 10_000, 30_000).refused).toBe(0)
      }
    },
  )
})

describe('random healthy applications', () => {
  it('a shedder refuses at most 1 percent of the users of random healthy applications, and 6 percent of one', () => {
    const seconds = 20
    const shares = Array.from({ length: isFull ? 60 : 6 }, (_, i) => {
      const { fates } = simulate(ordinaryDay(new Random(700 + i), seconds), standing)
      return figuresOf(fates, 0, seconds * 1000, ({ work }) => work.hangs !== true).refusedShare
    })
    expect(shares.reduce((sum, share) => sum + share) / shares.length).toBeLessThanOrEqual(0.01)
    // Work of seconds whose times vary is learned from its quickest.
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.06)
  })
})

describe('a surge of the processor after a tenth of all requests have hung for six seconds', () => {
  it('a shedder answers what the processor can, though hundreds of requests hang', () => {
    const work = (random: Random): Work =>
      random.next() < 0.1 ? { cpu: 0.1, hangs: true, route: '/hung' } : { cpu: 5, route: '/work' }
    for (const seed of SEEDS) {
      const stretches = [
        { from: 0, to: 6000, perSecond: 100, work },
        { from: 6000, to: 12_000, perSecond: 600, work },
      ]
      const { fates } = simulate({ seed, stretches }, standing)
      const isWork = ({ work: { hangs } }: Fate): boolean => hangs !== true
      expect(figuresOf(fates, 0, 6000, isWork).refused).toBe(0)
      expect(figuresOf(fates, 7000, 12_000, isWork).good).toBeGreaterThan(0.85 * 195 * 5)
    }
  })
})

describe('a route beside one that fills the processor', () => {
  it.each([
    ['waits for 10 ms', { cpu: 0.3, wait: 10 }],
    ['is quick', { cpu: 0.2 }],
    ['needs a fifth of the processor', { cpu: 2 }],
  ])(
    'a shedder answers 95 percent of a route that %s beside one with three times the capacity',
    (_name, other) => {
      const shares = SEEDS.map(seed => {
        const work = (): Work => ({ cpu: 5, route: '/surge' })
        const stretches = [
          { from: 0, to: 8000, perSecond: 100, work: (): Work => ({ ...other, route: '/other' }) },
          { from: 0, to: 2000, perSecond: 60, work },
          { from: 2000, to: 8000, perSecond: 600, work },
        ]
        const { fates } = simulate({ seed, stretches }, standing)
        return figuresOf(fates, 2000, 8000, fate => fate.work.route === '/other').goodShare
      })
      expect(shares.reduce((sum, share) => sum + share) / shares.length).toBeGreaterThan(0.95)
    },
  )
})

describe('bursts on a new route', () => {
  it.each([60, 300])('a shedder refuses nothing of bursts of %i from the fourth on', count => {
    for (const seed of SEEDS) {
      const work = (): Work => ({ cpu: 0.2, wait: 20, route: '/new' })
      const stretches = Array.from({ length: 9 }, (_, i) => ({
        from: 1000 * i,
        to: 1000 * i + 2,
        perSecond: count * 500,
        work,
      }))
      const { fates } = simulate({ seed, stretches }, standing)
      expect(figuresOf(fates, 3000, 9000).refused).toBe(0)
    }
  })
})

describe('a surge on new connections, of which the server accepts one in a turn', () => {
  it.each([3, 10])(
    'a shedder answers critical requests and keeps others waiting less than a second: %i times',
    times => {
      for (const seed of SEEDS) {
        const work = (tier: 'critical' | 'normal') => (): Work => ({ cpu: 5, tier, route: '/' })
        const isCold = true
        const stretches = [
          { from: 0, to: 10_000, perSecond: 10, work: work('critical'), isCold },
          { from: 0, to: 2000, perSecond: 80, work: work('normal'), isCold },
          { from: 2000, to: 7000, perSecond: 195 * times, work: work('normal'), isCold },
          { from: 7000, to: 10_000, perSecond: 80, work: work('normal'), isCold },
        ]
        const { fates } = simulate({ seed, stretches }, standing)
        const surge = figuresOf(fates, 2000, 7000)
        expect(surge.failed).toBe(0)
        // Each refusal costs 0.2 ms, and each answer 5.15 ms.
        const possible = 1000 / (5.15 + 0.2 * (times - 1))
        expect(surge.good / 5).toBeGreaterThan(0.8 * possible)
        expect(
          figuresOf(fates, 2000, 7000, fate => fate.work.tier === 'critical').goodShare,
        ).toBeGreaterThanOrEqual(0.97)
        expect(figuresOf(fates, 8000, 10_000).goodShare).toBeGreaterThan(0.99)
      }
    },
  )
})
