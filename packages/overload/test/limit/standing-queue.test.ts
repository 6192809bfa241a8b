// What the limit does after each window: by hand, with round numbers.
import { beforeEach, describe, expect, it } from 'vitest'

import type { WindowSummary } from '../../src/limit/contract.ts'
import { StandingQueue } from '../../src/limit/standing-queue.ts'

const ROUTE = '/r'
let queue: StandingQueue
let at: number
beforeEach(() => {
  queue = new StandingQueue({ min: 2, max: 2_000 })
  at = 0
})

/** A window of 100 ms in which 100 requests ended, 100 were admitted, and 100 refused. */
function windowOf({
  insideMs = 10,
  ...more
}: Partial<WindowSummary> & { insideMs?: number } = {}): WindowSummary {
  at += 100
  return {
    at,
    durationMs: 100,
    completions: 100,
    refused: 100,
    admitted: 100,
    peak: 100,
    before: 100,
    inFlight: 100,
    ageMs: 0,
    censored: 1,
    enforced: true,
    loopMs: 0,
    routes: new Map([[ROUTE, { samples: 100, insideMs, errorMs: 0, leastMs: insideMs }]]),
    ...more,
  }
}

/** Judges a window. Returns the limit after it. */
function after(window: Parameters<typeof windowOf>[0]): number {
  queue.judge(windowOf(window))
  return queue.limit
}

const NEARLY_NONE = { refused: 3, admitted: 97 }

describe('the limit of a route', () => {
  it('is four times as large after each window that has refused and ended nothing', () => {
    const limits = Array.from({ length: 3 }, () => after({ routes: new Map(), completions: 0 }))
    expect(limits).toEqual([200, 800, 2_000])
  })

  it('stays where nothing has ended and nothing is refused, or where its route has answered before', () => {
    const nothing = { routes: new Map(), completions: 0 }
    expect(after({ ...nothing, refused: 0 })).toBe(50)
    expect(after({ ...nothing, refused: 1 })).toBe(200)
    const learned = after({})
    expect(after(nothing)).toBe(learned)
  })

  it.each([
    ['is cut where those in flight will take longer, and few end', { censored: 4, completions: 69 }, 1],
    ['stays where most of what is admitted ends and is quick', { censored: 4, completions: 70 }, 0],
    ['is cut where most of what is admitted ends and is slow', { censored: 4, insideMs: 20.1 }, 1],
    ['stays where nothing in flight takes longer', { completions: 69 }, 0],
  ])('%s', (_how, window, cuts) => {
    after({})
    after(window)
    expect(queue.cuts).toBe(cuts)
  })

  it.each([
    ['by half where nothing queues', { insideMs: 10 }, 1.5],
    ['by half where little queues', { insideMs: 11.9 }, 1.5],
    ['by a quarter where some queue', { insideMs: 12.1 }, 1.25],
    ['by a quarter where some more queue', { insideMs: 14.9 }, 1.25],
    ['by a tenth where a queue is near', { insideMs: 15.1 }, 1.1],
    ['by half where a queue is near and few are refused', { insideMs: 15.1, ...NEARLY_NONE }, 1.5],
    ['by a tenth where one in twenty is refused', { insideMs: 15.1, refused: 5, admitted: 95 }, 1.1],
  ])('grows after a cut %s', (_how, window, factor) => {
    after({})
    const cut = after({ insideMs: 40 })
    expect(queue.cuts).toBe(1)
    // The baseline has stayed at 10 ms, so a queue stands from 20 ms on.
    expect(after(window)).toBeCloseTo(cut * factor, 9)
  })

  it('is three times as large where nothing queues and nothing was cut for five seconds', () => {
    after({})
    const cut = after({ insideMs: 40 })
    at += 4_900
    const soon = after({ insideMs: 10 })
    expect(soon).toBeCloseTo(cut * 1.5, 9)
    expect(after({ insideMs: 10 })).toBeCloseTo(soon * 3, 9)
    expect(after({ insideMs: 11.5 })).toBeCloseTo(soon * 4.5, 9)
  })
})

describe('slower work', () => {
  // After the first of these cuts fewer complete, in proportion, and take as long.
  const slow = (peak: number, completions = peak): Parameters<typeof windowOf>[0] => ({
    insideMs: 40,
    peak,
    completions,
    admitted: completions,
  })

  /** Cuts until 30 of 100 places are left. */
  function cut(): void {
    after({})
    after({ insideMs: 10, peak: 100 })
    after(slow(100))
  }

  it('is believed after two windows in a row in which a cut has shown no effect', () => {
    cut()
    after(slow(30))
    expect(queue.finding.rebaselines).toBe(0)
    after(slow(30))
    expect(queue.finding.rebaselines).toBe(1)
    expect(queue.finding.baselines.get(ROUTE)).toBe(40)
  })

  it('is not believed after two windows with another one between them in which the cut had an effect', () => {
    cut()
    for (let i = 0; i < 4; i++) {
      after(slow(30))
      after(slow(30, 100))
    }
    expect(queue.finding.rebaselines).toBe(0)
  })

  it('is believed of a limit that cannot be cut after five windows in a row in which nobody passes freely', () => {
    queue = new StandingQueue({ min: 20, max: 20 })
    after({})
    for (let i = 0; i < 4; i++) after({ insideMs: 40 })
    after({ refused: 0 })
    for (let i = 0; i < 4; i++) after({ insideMs: 40 })
    expect(queue.finding.rebaselines).toBe(0)
    after({ insideMs: 40 })
    expect(queue.finding.rebaselines).toBe(1)
  })

  it('is looked for anew after it was found once, and after nobody was refused', () => {
    cut()
    for (let i = 0; i < 2; i++) after(slow(30))
    expect(queue.finding.rebaselines).toBe(1)
    // Now 40 ms are usual. The first of these windows cuts, and one more proves nothing.
    const slower = (peak: number) => ({ ...slow(peak), insideMs: 160 })
    for (const peak of [100, 50]) after(slower(peak))
    expect(queue.finding.rebaselines).toBe(1)
    after({ insideMs: 40, refused: 0 })
    for (const peak of [50, 50]) after(slower(peak))
    expect(queue.finding.rebaselines).toBe(1)
  })
})

it('a route that leaves a shared limit takes that limit along, and the time that it was found to need', () => {
  const shared = new StandingQueue({ min: 2, max: 2_000 })
  shared.admit(windowOf(), new Map([[ROUTE, 10]]), 0.5)
  shared.judge(windowOf({ insideMs: 5, refused: 0 }))
  after({})
  queue.settle(ROUTE, shared)
  expect(queue.limit).toBe(shared.limit)
  expect(queue.finding.baselines.get(ROUTE)).toBe(9.5)
})
