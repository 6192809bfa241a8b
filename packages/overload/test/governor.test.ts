import { expect, it } from 'vitest'

import { TurnClock } from '../src/base/turn-clock.ts'
import type { Controller, WindowSummary } from '../src/limit/contract.ts'
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

it('a place is free at the end of the turn in which its request has ended, and outside of one at once', () => {
  const { governor, enter, advance } = scene()
  const [first, second] = [enter(), enter()]
  first.leave('sample')
  expect(governor.inFlight).toBe(2)
  advance(1)
  expect(governor.inFlight).toBe(1)
  second.leave('sample')
  expect(governor.inFlight).toBe(0)
})

it('a place is freed once, however often and for whatever reason it is given back', () => {
  const { governor, enter, advance } = scene()
  const permit = enter()
  enter()
  for (const ending of ['at-least', 'sample', 'drop', 'at-least'] as const) permit.leave(ending)
  advance(1)
  permit.leave('sample')
  expect(governor.inFlight).toBe(1)
})

it('a shadow governor never counts fewer than none in flight, though refused requests leave as well', () => {
  let now = 0
  const clock = new TurnClock({ now: () => now, idle: () => now, afterTurn: end => end() })
  const governor = new Governor(clock, pinned(2), false)
  const enter = (): Permit => {
    clock.enter()
    return governor.enter(1, '/')!
  }
  const [admitted, refused] = [
    [enter(), enter()],
    [enter(), enter()],
  ]
  for (const permit of refused) permit.leave('drop')
  expect(governor.inFlight).toBe(0)
  const next = [enter(), enter()]
  // The first two hang by now, so the next one takes the place of all who do.
  now = 20_000
  const last = enter()
  expect(governor.inFlight).toBe(1)
  for (const permit of [...admitted, ...next, last]) permit.leave('drop')
  expect(governor.inFlight).toBe(0)
})

it('a governor lets at most a thousand clients send slowly without a place', () => {
  const { governor, enter, advance } = scene()
  const sent: (() => void)[] = []
  const permits: Permit[] = []
  const send = (): boolean => {
    const permit = enter()
    if (permit === undefined) return false
    permit.sender = { isSending: true, whenSent: callback => void sent.push(callback) }
    permits.push(permit)
    return true
  }
  for (let round = 0; round < 12; round++) {
    while (send());
    advance(200)
  }
  expect([permits.length, governor.inFlight, sent.length]).toEqual([1100, 100, 1000])
  // One of them has sent, and others leave: then others may give their places up.
  sent[0]!()
  for (const permit of permits.slice(1, 10)) permit.leave('at-least')
  expect(governor.inFlight).toBe(101)
  advance(200)
  while (send());
  expect([governor.inFlight, sent.length]).toEqual([100, 1010])
})

it('a governor takes an early end for latency only if it was slower than usual', () => {
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

it('a governor does not take a request that was admitted before a cut for latency', () => {
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

it('a governor counts the requests of a route twice: within the whole, and within their own limit', () => {
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

it('a governor says how much longer those in flight will take than those that ended', () => {
  const a = scene()
  for (let i = 0; i < 9; i++) a.enter()
  run(a, [10, 10, 10], 'sample')
  expect(a.windows.at(-1)?.censored).toBeGreaterThan(5)
})
