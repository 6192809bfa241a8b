import { expect, it } from 'vitest'

import { TurnClock } from '../../src/base/turn-clock.ts'
import type { Controller, WindowSummary } from '../../src/limit/contract.ts'
import { Governor } from '../../src/limit/governor.ts'
import type { Ending, Permit } from '../../src/limit/permit.ts'
import { StandingQueue } from '../../src/limit/standing-queue.ts'
import { TierFit } from '../../src/limit/tier-fit.ts'
import { Window } from '../../src/limit/window.ts'
import { pinned } from '../pinned.ts'

/**
 * A governor with 100 places on a loop whose time is moved by hand, and the windows that it has judged.
 *
 * @param isBusy whether the loop does something else whenever it handles no request
 */
function scene(isBusy = false): {
  readonly governor: Governor
  readonly windows: WindowSummary[]
  readonly controller: Controller & {
    cuts: number
    readonly finding: { readonly baselines: Map<string, number> }
  }
  enter(): Permit
  advance(ms: number): void
} {
  let now = 0
  let ends: (() => void)[] = []
  const idle = (): number => (isBusy ? 0 : now)
  const clock = new TurnClock({ now: () => now, idle, afterTurn: end => void ends.push(end) })
  const windows: WindowSummary[] = []
  const controller = {
    limit: 100,
    cuts: 0,
    finding: { baselines: new Map<string, number>(), rebaselines: 0 },
    judge() {},
  } satisfies Controller
  const governor = new Governor(clock, controller, new TierFit(0), true, window => void windows.push(window))
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

it('a place is free once its request has ended', () => {
  const { governor, enter } = scene()
  const [first] = [enter(), enter()]
  first.leave('sample')
  expect(governor.inFlight).toBe(1)
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
  const governor = new Governor(clock, pinned(2), new TierFit(0), false, () => {})
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
  a.controller.finding.baselines.set('/', 20)
  run(a, [1, 2, 3, 500], 'at-least')
  expect(a.windows.at(-1)?.routes.get('/')).toMatchObject({ samples: 1, insideMs: 500 })
  run(a, [1, 500], 'drop')
  expect(a.windows.at(-1)?.routes.size).toBe(0)
})

it('a few quick requests of a varied route do not lower what counts as its normal time', () => {
  const a = scene()
  const queue = new StandingQueue({ min: 2, max: 1000 })
  const normalAfter = (...times: readonly number[]): number | undefined => {
    run(a, times, 'sample')
    for (const window of a.windows.splice(0)) queue.judge(window)
    return queue.finding.baselines.get('/')
  }
  expect(normalAfter(100, 100, 100, 100)).toBe(100)
  expect(normalAfter(20, 20, 170, 170)).toBe(100)
  expect(normalAfter(95, 95, 95, 95)).toBeLessThan(100)
})

it('a governor tells how long a request has waited for a busy loop, be it the only one of its window', () => {
  const { windows, enter, advance } = scene(true)
  enter().leave('sample')
  advance(1100)
  // On average it came in the middle of what the loop did before.
  enter().leave('sample')
  advance(1100)
  enter().leave('sample')
  expect(windows.map(({ admitted, ageMs }) => [admitted, ageMs])).toEqual([
    [1, 0],
    [1, 550],
  ])
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

it('a governor hands over what is in flight of a route, and hears no more of it', () => {
  const { governor, controller, enter, advance } = scene()
  const [first, second] = [enter(), enter()]
  const other = governor.enter(1, '/other')
  const to = scene().governor
  governor.handOver(to, '/')
  expect([governor.inFlight, to.inFlight, to.countOf('/'), to.countOf('/other')]).toEqual([1, 2, 2, 0])
  first.leave('sample')
  // A client may leave after the hand-over.
  second.abandon()
  second.leave('sample')
  expect([governor.inFlight, to.inFlight]).toEqual([1, 0])
  other!.leave('drop')
  advance(1100)
  expect([governor.inFlight, controller.cuts]).toEqual([0, 0])
})

it('a request whose client has left keeps its place until its handler ends, or for a second', () => {
  const { governor, enter, advance } = scene()
  const [tells, silent] = [enter(), enter()]
  tells.abandon()
  silent.abandon()
  advance(990)
  enter().leave('drop')
  expect(governor.inFlight).toBe(2)
  tells.leave('at-least')
  expect(governor.inFlight).toBe(1)
  advance(10)
  enter().leave('drop')
  expect(governor.inFlight).toBe(0)
  silent.leave('sample')
  expect(governor.inFlight).toBe(0)
})

it('a request that takes twenty times as long as its route holds no place once quick ones have overtaken it', () => {
  const { governor, controller, enter, advance } = scene()
  controller.finding.baselines.set('/', 50)
  const slow = enter()
  advance(900)
  // This one is quick, and came later.
  const quick = enter()
  advance(50)
  quick.leave('sample')
  expect(governor.inFlight).toBe(1)
  advance(100)
  // The window ends.
  const late = enter()
  expect(governor.inFlight).toBe(1)
  late.leave('sample')
  slow.leave('sample')
  expect(governor.inFlight).toBe(0)
})

it('a request that takes twenty times as long as its route keeps its place while no later one is quick', () => {
  const { governor, controller, enter, advance } = scene()
  controller.finding.baselines.set('/', 50)
  const all = [enter(), enter()]
  advance(3000)
  all.push(enter())
  expect(governor.inFlight).toBe(3)
})

it('a governor says how much longer those in flight will take than those that ended', () => {
  const a = scene()
  for (let i = 0; i < 9; i++) a.enter()
  run(a, [10, 10, 10], 'sample')
  expect(a.windows.at(-1)?.censored).toBeGreaterThan(5)
})

it('a governor counts the time for which a request held its place that it has freed meanwhile', () => {
  const { governor, controller, windows, enter, advance } = scene()
  controller.finding.baselines.set('/', 10)
  enter()
  advance(1)
  const quick = enter()
  advance(10)
  quick.leave('sample')
  for (let i = 0; i < 9; i++) enter()
  advance(1000)
  enter()
  expect(governor.inFlight).toBe(10)
  // The first held its place for 1 + 10 + 1000 ms, the quick one for 10, the others for 1000.
  expect(windows[0]?.censored).toBeCloseTo((1011 + 10 + 9 * 1000) / (1011 + 10), 9)
})

it('a window in which nothing was held tells that nothing stands in a queue', () => {
  for (const inFlight of [0, 3])
    expect(new Window(0, inFlight).close(200, inFlight, false, 0).censored).toBe(1)
})
