import { describe, expect, it } from 'vitest'

import type { WindowSummary } from '../../src/limit/contract.ts'
import { gradient } from './gradient.ts'
import { fixed, type MakeGuard, type Shedding } from './guards.ts'
import { StandingQueue } from '../../src/limit/standing-queue.ts'
import { figuresOf } from './figures.ts'
import { randomMix } from './mixes.ts'
import { Random } from './random.ts'
import { BOUNDS, shadow, standing, steady } from './runs.ts'
import { CALM, END, sceneOf, tuned, untuned } from './scenes.ts'
import { type Scene, simulate } from './simulated-server.ts'

const [processor, , pool] = tuned as [(typeof tuned)[0], (typeof tuned)[0], (typeof tuned)[0]]

/** The shedder of a run. */
const sheddingOf = (scene: Scene, make: MakeGuard): Shedding => simulate(scene, make).guard as Shedding

describe('the controller', () => {
  it('a controller keeps its limit finite and within its bounds, whatever it is told', () => {
    const random = new Random(1)
    const controller = new StandingQueue({ min: 3, max: 50 })
    const number = (bound: number): number => (random.next() < 0.1 ? 0 : Math.floor(random.next() * bound))
    let [least, most] = [Number.POSITIVE_INFINITY, 0]
    for (let i = 0; i < 5000; i++) {
      const insideMs = random.next() < 0.1 ? 0 : random.logNormal(20, 2)
      const window: WindowSummary = {
        at: i * 100,
        durationMs: 100,
        completions: number(100),
        refused: number(100),
        admitted: number(100),
        peak: number(200),
        before: number(100),
        inFlight: number(100),
        ageMs: 0,
        censored: 1 + random.next() * 10,
        enforced: random.next() < 0.8,
        loopMs: random.next() < 0.8 ? 0 : random.logNormal(20, 2),
        routes: new Map(
          random.next() < 0.1
            ? []
            : [['/', { samples: 1 + number(50), insideMs, errorMs: insideMs / 3, leastMs: insideMs / 4 }]],
        ),
      }
      controller.judge(window)
      least = Math.min(least, controller.limit)
      most = Math.max(most, controller.limit)
    }
    expect([least >= 3, most <= 50]).toEqual([true, true])
  })

  it.each([
    [18, 18, 0],
    [18, 20, 0],
    [18, 22, 1],
  ])(
    'a controller that refuses nobody cuts slow requests only if more than a tenth, and two, have come: from %i to %i',
    (before, inFlight, cuts) => {
      const controller = new StandingQueue({ min: 3, max: 1000 })
      const judge = (at: number, insideMs: number, from: number, to: number): void => {
        const sample = { samples: 20, insideMs, errorMs: 1, leastMs: insideMs }
        const counts = { completions: 20, refused: 0, admitted: 20, peak: 6, before: from, inFlight: to }
        const rest = { durationMs: 100, ageMs: 0, censored: 1, enforced: true, loopMs: 0 }
        controller.judge({ at, ...counts, ...rest, routes: new Map([['/', sample]]) })
      }
      // Before, nothing queues. 18 in flight then fill more than four fifths of the limit.
      for (let at = 0; at < 30; at++) judge(at * 100, 20, 6, 6)
      controller.limit = 22
      judge(3000, 200, before, inFlight)
      expect(controller.cuts).toBe(cuts)
    },
  )
})

describe('the default controller', () => {
  it('the standing queue answers as much as Gradient2, and more quickly', () => {
    let [ours, theirs] = [0, 0]
    let [oursP99, theirsP99] = [0, 0]
    for (const kind of [...tuned, ...untuned]) {
      for (const seed of [301]) {
        const [our, their] = [steady(kind, 3, seed, standing), steady(kind, 3, seed, gradient)]
        ours += our.goodShare
        theirs += their.goodShare
        if (kind.name.startsWith('processor')) {
          oursP99 += our.p99
          theirsP99 += their.p99
        }
      }
    }
    expect(ours / theirs).toBeGreaterThan(0.97)
    expect(oursP99 / theirsP99).toBeLessThan(0.75)
  })

  it.each([
    [10, processor],
    [2, pool],
  ])('the standing queue does not drift in %i minutes of three times the capacity', (minutes, kind) => {
    const { capacity, work, pool: places = 0 } = kind
    const end = minutes * 60_000
    const scene = {
      seed: 1,
      pool: places,
      stretches: [
        { from: 0, to: CALM, perSecond: capacity / 2, work },
        { from: CALM, to: end, perSecond: capacity * 3, work },
      ],
    }
    const { fates, guard } = simulate(scene, standing)
    const [first, last] = [figuresOf(fates, 5000, 65_000), figuresOf(fates, end - 60_000, end)]
    expect(last.good / first.good).toBeGreaterThan(0.95)
    expect(last.p99 / first.p99).toBeLessThan(1.5)
    expect((guard as Shedding).limits.all()[0]?.state().limit).toBeGreaterThanOrEqual(BOUNDS.min)
  })
})

describe('random applications of several routes', () => {
  it('random routes get as much answered as by the best static limit, and none much less', () => {
    const ratios = Array.from({ length: 12 }, (_, i) => {
      const mix = randomMix(new Random(500 + i))
      const good = (guard: MakeGuard): number => steady(mix, 2, 9, guard).goodShare
      return good(standing) / Math.max(...[4, 8, 16, 32].map(limit => good(fixed(limit))))
    })
    expect(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length).toBeGreaterThan(1)
    expect(Math.min(...ratios)).toBeGreaterThan(0.85)
  })

  it('random routes are refused next to nothing at 0.8 times their capacity', () => {
    for (let i = 0; i < 12; i++) {
      const { fates } = simulate(sceneOf(randomMix(new Random(500 + i)), 0.8, 9), standing)
      expect(figuresOf(fates, 500, END).refusedShare, `mix ${i}`).toBeLessThan(0.005)
    }
  })
})

describe('places', () => {
  it('all places are free once every request has left', () => {
    for (const kind of untuned) {
      const { limits } = sheddingOf(sceneOf(kind, 3, 5), standing)
      expect(limits.all().filter(({ inFlight }) => inFlight !== 0)).toEqual([])
    }
  })
})

describe('shadow mode', () => {
  it.each([processor, pool])(
    'shadow mode refuses nothing, and says within a factor of 3 how much a limit would refuse: $name',
    kind => {
      const scene = sceneOf(kind, 1.5, 7)
      const { guard, fates } = simulate(scene, shadow)
      expect(figuresOf(fates, 0, END).refused).toBe(0)
      const ratio = (guard as Shedding).refused / sheddingOf(scene, standing).refused
      expect(ratio).toBeGreaterThan(0.6)
      expect(ratio).toBeLessThan(3)
    },
  )

  it('shadow mode refuses nothing of a route whose queue is its own', () => {
    const kind = untuned.find(({ name }) => name.startsWith('three routes'))!
    const { fates } = simulate(sceneOf(kind, 3, 7), shadow)
    expect(figuresOf(fates, 0, END).refused).toBe(0)
  })

  it('shadow mode counts no refusal below the capacity', () => {
    for (const kind of [processor, pool]) expect(sheddingOf(sceneOf(kind, 0.7, 7), shadow).refused).toBe(0)
  })
})
