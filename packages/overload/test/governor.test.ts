import { expect, it } from 'vitest'

import { TurnClock } from '../src/base/turn-clock.ts'
import type { Controller, WindowSummary } from '../src/limit/controller.ts'
import { Governor } from '../src/limit/governor.ts'
import type { Ending, Permit } from '../src/limit/permit.ts'
import { RoutedGovernor } from '../src/limit/routed-governor.ts'
import { pinned } from './pinned.ts'

/** A governor with 100 places on a loop whose time is moved by hand, and the windows that it has judged. */
function scene(): {
  readonly governor: Governor
  readonly windows: WindowSummary[]
  readonly controller: { cuts: number }
  enter(): Permit
  advance(ms: number): void
} {
  let now = 0
  let ends: (() => void)[] = []
  const clock = new TurnClock({ now: () => now, idle: () => now, afterTurn: end => void ends.push(end) })
  const windows: WindowSummary[] = []
  const controller = {
    limit: 100,
    cuts: 0,
    finding: { baselines: new Map<string, number>(), rebaselines: 0 },
    judge: (window: WindowSummary) => void windows.push(window),
  } satisfies Controller
  const governor = new Governor(clock, controller)
  return {
    governor,
    windows,
    controller,
    enter() {
      clock.enter()
      return governor.enter(1, '/')!
    },
    advance(ms) {
      const ended = ends
      ends = []
      for (const end of ended) end()
      now += ms
    },
  }
}

/** Lets so many requests take so long, one after the other. */
function run({ enter, advance }: ReturnType<typeof scene>, times: readonly number[], ending: Ending): void {
  for (const ms of times) {
    const permit = enter()
    advance(ms)
    permit.leave(ending)
  }
  enter()
  advance(1100)
  enter().leave('drop')
}

it('frees a place at the end of the turn in which a request has ended, and at once outside of one', () => {
  const { governor, enter, advance } = scene()
  const [first, second] = [enter(), enter()]
  first.leave('sample')
  expect(governor.inFlight).toBe(2)
  advance(1)
  expect(governor.inFlight).toBe(1)
  second.leave('sample')
  expect(governor.inFlight).toBe(0)
})

it('frees a place once, however often and for whatever reason it is given back', () => {
  const { governor, enter, advance } = scene()
  const permit = enter()
  enter()
  for (const ending of ['at-least', 'sample', 'drop', 'at-least'] as const) permit.leave(ending)
  advance(1)
  permit.leave('sample')
  expect(governor.inFlight).toBe(1)
})

it('takes what ended early for latency only if it was slower than usual', () => {
  const a = scene()
  run(
    a,
    Array.from({ length: 10 }, () => 20),
    'sample',
  )
  expect(a.windows.at(-1)?.routes.get('/')).toMatchObject({ samples: 10, insideMs: 20 })
  run(a, [1, 2, 3, 500], 'at-least')
  expect(a.windows.at(-1)?.routes.get('/')).toMatchObject({ samples: 1, insideMs: 500 })
  run(a, [1, 500], 'drop')
  expect(a.windows.at(-1)?.routes.size).toBe(0)
})

it('does not take for latency what was admitted before a cut', () => {
  const { windows, controller, enter, advance } = scene()
  const before = enter()
  controller.cuts++
  const after = enter()
  advance(300)
  before.leave('sample')
  after.leave('sample')
  advance(1000)
  enter()
  expect(windows.at(-1)?.routes.get('/')?.samples).toBe(1)
  expect(windows.at(-1)?.completions).toBe(2)
})

it('counts the requests of routes apart twice: within the whole, and within their own limit', () => {
  let now = 0
  const ends: (() => void)[] = []
  const clock = new TurnClock({ now: () => now, idle: () => now, afterTurn: end => void ends.push(end) })
  const endTurn = (): void => {
    for (const end of ends.splice(0)) end()
    now++
  }
  const apart: { readonly routes: Set<string>; controller: Controller | undefined } = {
    routes: new Set(),
    controller: undefined,
  }
  const routed = new RoutedGovernor(clock, { ...pinned(5), apart })
  const enter = (route: string): Permit | undefined => {
    clock.enter()
    return routed.enter(1, route)
  }
  // It adopts what is in flight already.
  const [first, second, other] = [enter('/slow'), enter('/slow'), enter('/quick')]
  apart.routes.add('/slow')
  apart.controller = pinned(2)
  expect(enter('/slow')).toBeUndefined()
  expect(enter('/quick')).toBeDefined()
  expect([routed.whole.inFlight, routed.whole.refused]).toEqual([4, [0, 1, 0]])
  first?.leave('sample')
  endTurn()
  const third = enter('/slow')
  expect([third === undefined, enter('/slow')]).toEqual([false, undefined])
  // The whole has a place less than the routes need.
  expect([enter('/quick') === undefined, enter('/quick')]).toEqual([false, undefined])
  second?.leave('sample')
  endTurn()
  for (const permit of [third, other]) permit?.leave('drop')
  endTurn()
  expect(routed.whole.inFlight).toBe(2)
  expect([enter('/slow') === undefined, enter('/slow') === undefined, enter('/slow')]).toEqual([
    false,
    false,
    undefined,
  ])
})

it('says how much longer those in flight will take than those that ended', () => {
  const a = scene()
  for (let i = 0; i < 9; i++) a.enter()
  run(a, [10, 10, 10], 'sample')
  expect(a.windows.at(-1)?.censored).toBeGreaterThan(5)
})
