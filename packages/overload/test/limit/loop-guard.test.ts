import { describe, expect, it } from 'vitest'

import { LoopGuard, LoopUse } from '../../src/limit/loop-guard.ts'
import { TierFit } from '../../src/limit/tier-fit.ts'

/** A loop whose time is moved by hand, and a guard of it. */
class Scene {
  readonly guard: LoopGuard
  now = 0
  #ended = 0

  constructor(isEnforced = true) {
    this.guard = new LoopGuard(new TierFit(0), isEnforced)
  }

  /** A round in which requests are asked for that take so long each. Returns how many were admitted. */
  round(
    asked: number,
    ms: number,
    { use = new LoopUse(), rank = 1, isFirst = false, idleMs = 0 } = {},
  ): number {
    this.now += idleMs
    this.guard.open(this.now, idleMs, this.#ended)
    let admitted = 0
    for (let i = 0; i < asked; i++) {
      if (!this.guard.admits(this.now, rank, use, isFirst)) continue
      this.guard.runs(this.now, use)
      admitted++
      this.now += ms
    }
    this.#ended = this.now
    return admitted
  }

  /** Rounds until the loop has been full for some time. */
  fill(use: LoopUse): void {
    for (let i = 0; i < 40; i++) this.round(20, 5, { use })
  }
}

describe('LoopGuard', () => {
  it('a guard admits everything while the loop is idle in between', () => {
    const scene = new Scene()
    for (let i = 0; i < 50; i++) expect(scene.round(10, 5, { idleMs: 20 })).toBe(10)
    expect(scene.guard.cap).toBe(Number.POSITIVE_INFINITY)
  })

  it('a guard shortens the rounds of a full loop, and lets go once it is idle again', () => {
    const scene = new Scene()
    scene.fill(new LoopUse())
    const began = scene.now
    for (let i = 0; i < 10; i++) scene.round(20, 5)
    expect((scene.now - began) / 10).toBeLessThanOrEqual(30)
    scene.round(1, 5, { idleMs: 1000 })
    scene.round(1, 5, { idleMs: 1000 })
    expect(scene.round(20, 5, { idleMs: 10 })).toBe(20)
  })

  it('a guard counts admissions, so that requests which wait for something else take no room', () => {
    const scene = new Scene()
    const use = new LoopUse()
    scene.fill(use)
    const admitted = Array.from({ length: 20 }, () => scene.round(20, 5, { use }))
    // None of them was ever given back.
    expect(Math.min(...admitted)).toBeGreaterThanOrEqual(1)
    expect(admitted.reduce((sum, count) => sum + count)).toBeGreaterThan(50)
  })

  it('a guard refuses what is deep in the first long round, but for critical requests', () => {
    const scene = new Scene()
    scene.round(1, 5)
    expect(scene.round(100, 5)).toBeLessThanOrEqual(32)
    const critical = new Scene()
    critical.round(1, 5)
    expect(critical.round(100, 5, { rank: 0 })).toBe(100)
  })

  it('a guard admits a route that needs little of the loop while another one fills it', () => {
    const scene = new Scene()
    const [heavy, light] = [new LoopUse(), new LoopUse()]
    for (let i = 0; i < 60; i++) {
      scene.round(20, 5, { use: heavy })
      scene.round(2, 0.2, { use: light })
    }
    expect([heavy.fits, light.fits]).toEqual([false, true])
    scene.round(20, 5, { use: heavy })
    expect(scene.guard.admits(scene.now, 1, heavy, false)).toBe(false)
    expect(scene.guard.admits(scene.now, 1, light, false)).toBe(true)
  })

  it('a guard bounds a route that filled the loop as before when it comes back while another one fills it', () => {
    const scene = new Scene()
    const use = new LoopUse()
    scene.fill(use)
    scene.fill(new LoopUse())
    expect(scene.round(20, 5, { use })).toBeLessThan(10)
  })

  it('a guard knows after one window what a request of a new route needs', () => {
    const scene = new Scene()
    const use = new LoopUse()
    for (let i = 0; i < 4; i++) scene.round(10, 5, { use })
    expect(use.costMs).toBe(5)
  })

  it('a guard gives more room after short rounds than after those that are almost as long as they should be', () => {
    const growthWith = (asked: number): number => {
      const scene = new Scene()
      scene.fill(new LoopUse())
      const caps = [scene.guard.cap]
      // The first window began before.
      while (caps.length < 4) {
        scene.round(asked, 5)
        if (scene.guard.cap !== caps.at(-1)) caps.push(scene.guard.cap)
      }
      return caps[3]! / caps[2]!
    }
    const [short, long] = [growthWith(1), growthWith(3)]
    expect(long).toBeGreaterThan(1)
    expect(short).toBeGreaterThan(long)
  })

  it('requests that their routes refuse do not make the others seem cheap', () => {
    const scene = new Scene()
    const use = new LoopUse()
    scene.fill(use)
    for (let i = 0; i < 60; i++) {
      scene.round(4, 5, { use })
      // The limit of the route refuses it.
      scene.guard.admits(scene.now, 1, use, false)
    }
    expect(use.costMs).toBeCloseTo(5)
  })

  it('a guard refuses until the loop was idle where each round of a full loop accepts a connection, but half of the time', () => {
    const scene = new Scene()
    const use = new LoopUse()
    let admitted = 0
    for (let i = 0; i < 200; i++) {
      // A refusal is not free.
      if (scene.round(1, 5, { use, isFirst: true }) === 0) scene.now += 0.2
      else admitted++
    }
    const began = scene.now
    const before = admitted
    for (let i = 0; i < 400; i++) {
      if (scene.round(1, 5, { use, isFirst: true }) === 0) scene.now += 0.2
      else admitted++
    }
    const share = ((admitted - before) * 5) / (scene.now - began)
    expect(share).toBeGreaterThan(0.4)
    expect(share).toBeLessThan(0.7)
    // It has been idle.
    expect(scene.round(1, 5, { use, isFirst: true, idleMs: 1 })).toBe(1)
  })

  it('a guard in shadow mode refuses of a full loop what did not fit into the round before', () => {
    const scene = new Scene(false)
    const use = new LoopUse()
    let admitted = 0
    for (let i = 0; i < 40; i++) admitted += scene.round(50, 5, { use })
    expect(admitted).toBeLessThan(40 * 50)
    for (let i = 0; i < 10; i++) scene.round(2, 5, { idleMs: 100 })
    expect(scene.round(50, 5, { use, idleMs: 100 })).toBe(50)
  })

  it('a guard takes the first requests of a process that was busy before for no overload', () => {
    const scene = new Scene()
    scene.now = 5000
    expect([scene.round(5, 5), scene.round(5, 5)]).toEqual([5, 5])
  })
})
