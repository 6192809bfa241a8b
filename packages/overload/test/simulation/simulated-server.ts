import { rankOf, type Tier } from '../../src/base/tiers.ts'
import { TurnClock } from '../../src/base/turn-clock.ts'
import type { Controller } from '../../src/limit/contract.ts'
import type { Governor } from '../../src/limit/governor.ts'
import { RoutedGovernor } from '../../src/limit/routed-governor.ts'
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
  readonly governors: ReadonlyMap<string, Governor>
}

const PARSING = 0.05
const REFUSING = 0.05

/** Runs a scene against a guard. `guard` makes the controller; undefined: everything passes. */
export function simulate(
  { seed, stretches, pool = 0, pauses = [] }: Scene,
  guard: (() => Controller) | undefined,
  { perRoute = false, enforced = true }: { readonly perRoute?: boolean; readonly enforced?: boolean } = {},
): Run {
  const loop = new SimulatedLoop()
  const random = new Random(seed)
  const clock = new TurnClock(loop)
  const doors = new Map<string, RoutedGovernor>()
  const fates: Fate[] = []
  const free = Array.from({ length: pool }, () => 0)
  let end = 0

  const doorOf = (route: string): RoutedGovernor | undefined => {
    if (guard === undefined) return undefined
    const key = perRoute ? route : ''
    let door = doors.get(key)
    if (door === undefined) doors.set(key, (door = new RoutedGovernor(clock, guard(), enforced)))
    return door
  }

  const waitFor = ({ wait = 0, pooled = false }: Work, then: () => void): void => {
    if (!pooled) return loop.at(loop.now() + wait, then)
    let first = 0
    for (let i = 1; i < free.length; i++) if (free[i]! < free[first]!) first = i
    free[first] = Math.max(loop.now(), free[first]!) + wait
    loop.at(free[first]!, then)
  }

  const handle = (fate: Fate): void => {
    loop.work(PARSING)
    const { work } = fate
    const { route = '/' } = work
    const door = doorOf(route)
    clock.enter()
    const permit = door?.enter(rankOf(work.tier ?? 'normal')!, route)
    if (door !== undefined && permit === undefined) {
      fate.refused = true
      return loop.work(REFUSING)
    }
    const finish = (): void => {
      permit?.leave(fate.failed ? 'at-least' : 'sample')
      fate.latency = loop.now() - fate.came
    }
    loop.work(work.cpu)
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

  for (const { from, to, perSecond, work } of stretches) {
    end = Math.max(end, to)
    for (let at = from + random.gap(perSecond / 1000); at < to; at += random.gap(perSecond / 1000)) {
      const fate: Fate = { came: at, work: work(random, at), refused: false, failed: false }
      fates.push(fate)
      loop.at(at, () => handle(fate))
    }
  }
  for (const [at, ms] of pauses) loop.at(at, () => loop.work(ms))
  loop.runUntil(end + 3000)
  return { fates, governors: new Map([...doors].map(([key, { whole }]) => [key, whole])) }
}
