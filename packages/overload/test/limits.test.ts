import { expect, it } from 'vitest'

import { TurnClock } from '../src/base/turn-clock.ts'
import type { WindowSummary } from '../src/limit/contract.ts'
import { StandingQueue } from '../src/limit/standing-queue.ts'
import { Limits } from '../src/shedder/limits.ts'

const QUEUE: WindowSummary = {
  at: 0,
  durationMs: 100,
  completions: 10,
  refused: 0,
  admitted: 10,
  peak: 10,
  before: 10,
  inFlight: 10,
  ageMs: 0,
  censored: 1,
  enforced: true,
  loopMs: 0,
  routes: new Map(),
}

it('a route that gives its row away leaves the limit that it shares', () => {
  const clock = new TurnClock({ now: () => 0, idle: () => 0, afterTurn: end => end() })
  const own: StandingQueue[] = []
  const makeController = (): StandingQueue => {
    const controller = new StandingQueue({ min: 2, max: 1000 })
    own.push(controller)
    return controller
  }
  const limits = new Limits(clock, makeController, true, () => {})
  // Nothing is learned of a request whose time is ignored, so its route gives its row away.
  const visit = (route: string): void => {
    clock.enter()
    limits.enter(1, route, false)?.leave('drop')
  }
  visit('/forgotten')
  visit('/kept')
  for (const controller of own.slice(0, 2)) controller.elsewhere?.join(QUEUE, 0.5)
  const sharers = (): unknown =>
    limits.all().flatMap(limit => limit.state().sharedWith.map(other => [limit.route, other]))
  expect(sharers()).toEqual([
    ['/forgotten', '/kept'],
    ['/kept', '/forgotten'],
  ])
  for (let i = 0; i < 127; i++) visit(`/${i}`)
  expect(limits.all()[0]?.route).toBe('/kept')
  expect(sharers()).toEqual([])
})
