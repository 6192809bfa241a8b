// What the tests of single situations share: a world for each test, and the most starts in a time.
import { afterAll, beforeAll, onTestFinished } from 'vitest'

import type { Decision } from '../../src/index.ts'
import { startsOf } from './journal.ts'
import { loadCore, unloadCore } from './virtual-core.ts'
import { type Caller, makeWorld, viewOf, type World, type WorldOptions, type WorldPolicy } from './world.ts'

/** Loads core in virtual time for a file, and the packages that `others` loads. */
export function inVirtualTime(others?: Parameters<typeof loadCore>[0]): void {
  beforeAll(async () => void (await loadCore(others)))
  afterAll(unloadCore)
}

/** A policy of units a second. */
export function perSecond(limit: number, burst = 1): WorldPolicy {
  return { name: 'api', limit, window: 1, burst }
}

/** A world that ends with its test. */
export async function aWorld(
  policy: WorldPolicy,
  options: Omit<WorldOptions, 'policy'> = {},
): Promise<World> {
  // Replies in order: other orders have tests of their own, and all histories.
  const world = await makeWorld({ policy, changes: 'never', delays: { least: 1500, most: 1500 }, ...options })
  onTestFinished(() => world.end())
  return world
}

/** Lets callers of a process ask at once. */
export function asks(
  world: World,
  count: number,
  options: Parameters<World['ask']>[1] = {},
  process = 0,
): Caller[] {
  return Array.from({ length: count }, () => world.ask(process, { maxWaitMs: 3_600_000, ...options }))
}

/** Lets a tenant ask again as soon as it was served, until the world ends. */
export function keepAsking(world: World, process: number, user: string): void {
  const { done } = world.ask(process, { user, maxWaitMs: 600_000 })
  void done.then(() => {
    if (!world.isOver) keepAsking(world, process, user)
  })
}

/** The instants of the starts from an instant on, in milliseconds. */
export function startsFrom(world: World, fromMs = 0): number[] {
  return startsOf(world.book)
    .map(({ endedAt }) => endedAt / 1000)
    .filter(at => at >= fromMs)
}

/** The most starts in any time of some milliseconds. */
export function mostStarts(instants: readonly number[], ms: number): number {
  let [most, first] = [0, 0]
  for (const [i, at] of instants.entries()) {
    while (at - instants[first]! > ms) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}

/** Milliseconds since the world began. */
export function nowMs({ time }: World): number {
  return time.now / 1000
}

/** Lets time pass for what needs the network. Fails if it is then still under way. */
export async function soon<T>(world: World, promise: Promise<T>, ms = 50): Promise<T> {
  const state = { isOver: false }
  const over = (): void => void (state.isOver = true)
  promise.then(over, over)
  await world.pass(ms)
  // What waits for the turn of the event loop, and not for time.
  for (let i = 0; i < 50 && !state.isOver; i++) await world.time.turn()
  if (!state.isOver) throw new Error(`It is still under way after ${ms} ms.`)
  return promise
}

/** The units in line, as another process sees them. */
export async function lineOf(world: World, ms = 50): Promise<number> {
  const { limiter } = world.addProcess()
  const { policies } = await soon(world, limiter.explain(viewOf('observer')), ms)
  return policies[0]?.line?.units ?? 0
}

/** What a check of another process says. */
export async function checkElsewhere(world: World): Promise<Decision> {
  const { limiter } = world.addProcess()
  return soon(world, limiter.check(viewOf('observer')))
}

/** `close()` with options that older types do not have. */
export function closeWith(
  world: World,
  process: number,
  options: { readonly finishLine: string },
): Promise<void> {
  const { limiter } = world.processes[process]!
  return (limiter.close as (options: { readonly finishLine: string }) => Promise<void>).call(limiter, options)
}
