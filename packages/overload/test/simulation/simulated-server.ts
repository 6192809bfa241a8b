import { rankOf, type Tier } from '../../src/base/tiers.ts'
import type { Guard, MakeGuard } from './guards.ts'
import { Random } from './random.ts'
import { SimulatedLoop } from './simulated-loop.ts'

/** What a request does. All times in milliseconds. */
export interface Work {
  /** Processor time in the handler before it waits for anything. */
  readonly cpu: number
  /** Time in a place of the pool, or in a downstream that serves all at once. */
  readonly wait?: number
  /** Whether `wait` needs a place of the pool. */
  readonly pooled?: boolean
  /** It answers with an error if it would wait for a place longer than this. */
  readonly giveUp?: number
  /** Whether it never answers. */
  readonly hangs?: boolean
  /** Processor time after it. */
  readonly after?: number
  readonly tier?: Tier
  readonly route?: string
}

/** Requests that come in a stretch of time. */
export interface Stretch {
  readonly from: number
  readonly to: number
  readonly perSecond: number
  readonly work: (random: Random, now: number) => Work
  /** Whether each request comes on a connection of its own. */
  readonly isCold?: boolean
}

export interface Scene {
  readonly seed: number
  readonly stretches: readonly Stretch[]
  readonly pool?: number
  /** Times at which the machine stands still, and for how long. */
  readonly pauses?: readonly (readonly [at: number, ms: number])[]
}

/** A request that has come, and what became of it. */
export interface Fate {
  readonly came: number
  readonly work: Work
  /** Undefined: refused, or without an answer when the simulation ended. */
  latency?: number
  refused: boolean
  /** Whether it was answered with an error. */
  failed: boolean
}

export interface Run {
  readonly fates: readonly Fate[]
  readonly guard: Guard | undefined
}

const PARSING = 0.05
const REFUSING = 0.05

/** Runs a scene against a guard. Undefined: everything passes. */
export function simulate(
  { seed, stretches, pool = 0, pauses = [] }: Scene,
  make: MakeGuard | undefined,
): Run {
  const loop = new SimulatedLoop()
  const random = new Random(seed)
  const guard = make?.(loop)
  const fates: Fate[] = []
  const free = Array.from({ length: pool }, () => 0)
  let end = 0

  const waitFor = ({ wait = 0, pooled = false }: Work, then: () => void): void => {
    if (!pooled) return loop.at(loop.now() + wait, then)
    let first = 0
    for (let i = 1; i < free.length; i++) if (free[i]! < free[first]!) first = i
    free[first] = Math.max(loop.now(), free[first]!) + wait
    loop.at(free[first]!, then)
  }

  const handle = (fate: Fate, isFresh: boolean): void => {
    loop.work(PARSING)
    const { work } = fate
    const leave = guard?.enter(rankOf(work.tier ?? 'normal')!, work.route ?? '/', isFresh)
    if (guard !== undefined && leave === undefined) {
      fate.refused = true
      return loop.work(REFUSING)
    }
    loop.work(work.cpu)
    if (work.hangs === true) return
    const finish = (): void => {
      leave?.(fate.failed)
      fate.latency = loop.now() - fate.came
    }
    if (work.wait === undefined) return finish()
    const least = Math.min(...free) - loop.now()
    if (work.giveUp !== undefined && least > work.giveUp) {
      fate.failed = true
      return loop.at(loop.now() + work.giveUp, finish)
    }
    waitFor(work, () => {
      loop.work(work.after ?? 0)
      finish()
    })
  }

  for (const { from, to, perSecond, work, isCold = false } of stretches) {
    end = Math.max(end, to)
    for (let at = from + random.gap(perSecond / 1000); at < to; at += random.gap(perSecond / 1000)) {
      const fate: Fate = { came: at, work: work(random, at), refused: false, failed: false }
      fates.push(fate)
      if (isCold) loop.connect(at, () => handle(fate, true))
      else loop.at(at, () => handle(fate, false))
    }
  }
  for (const [at, ms] of pauses) loop.at(at, () => loop.work(ms))
  loop.runUntil(end + 3000)
  return { fates, guard }
}
