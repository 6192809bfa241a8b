import type { Loop } from '../../src/base/loop.ts'
import { type Figures, figuresOf } from './figures.ts'
import { fixed, type MakeGuard, Shedding } from './guards.ts'
import { CALM, END, type Kind, sceneOf, STEADY } from './scenes.ts'
import { simulate } from './simulated-server.ts'

/** The bounds that users have by default. */
export const BOUNDS = { min: 2, max: 1000 }
export const standing = (loop: Loop): Shedding => new Shedding(loop, BOUNDS, true)
export const shadow = (loop: Loop): Shedding => new Shedding(loop, BOUNDS, false)

const STATIC_LIMITS = [2, 4, 8, 12, 16, 24, 40, 64]
const best = new Map<string, number>()

/** The share of the requests that the best static limit answers in time, found by trying. */
export function bestStatic(kind: Kind, times: number): number {
  const key = `${kind.name} ${times}`
  let found = best.get(key)
  if (found === undefined) {
    const shares = STATIC_LIMITS.map(limit => steady(kind, times, 1, fixed(limit)).goodShare)
    best.set(key, (found = Math.max(...shares)))
  }
  return found
}

/** Figures of the steady part of a load. */
export function steady(kind: Kind, times: number, seed: number, guard: MakeGuard): Figures {
  return figuresOf(simulate(sceneOf(kind, times, seed), guard).fates, STEADY, END)
}

/** The 99th percentile of the latency at half of the capacity, in milliseconds. */
export function unloaded(kind: Kind): number {
  return figuresOf(simulate(sceneOf(kind, 0.5, 1), undefined).fates, 0, CALM).p99
}
