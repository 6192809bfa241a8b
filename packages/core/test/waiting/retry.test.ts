// The questions of a caller whose tenant waits for its turn in a shared bucket.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { Askers } from '../../src/waiting/callers.ts'
import type { Lines } from '../../src/waiting/lines.ts'
import { Retry } from '../../src/waiting/retry.ts'
import type { WaiterParts } from '../../src/waiting/waiter-parts.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A caller that asks again, by a clock that tells microseconds from now on. */
function aRetry(news: { expected: number; turnAt: number }) {
  const clock = (): number => performance.now() * 1000
  const begun = clock()
  const [asked, looks]: [number[], number[]] = [[], []]
  let followers = 0
  const turns = {
    expected: () => (news.expected === 0 ? 0 : begun + news.expected),
    notBefore: () => {
      looks.push(clock() - begun)
      return begun + news.turnAt > clock() ? begun + news.turnAt : 0
    },
    follow: () => void followers++,
    forget() {},
  }
  const lines = { turns, onFreed() {}, offFreed() {} } as unknown as Lines
  const caller = {
    seq: 1,
    isLost: false,
    drop() {},
    deadline: begun + 5_000_000,
    policy: 'shared',
    most: 1,
    ask: () => void asked.push(clock() - begun),
  }
  const retry = new Retry(caller, { lines, store: { clock } } as unknown as WaiterParts)
  retry.tickets = new Map()
  retry.after(new Askers(() => {}), 100_000, [])
  return { asked, looks, followers, end: () => retry.end() }
}

it('a caller whose turn cannot have come by the news puts its question off once, to the instant that they tell', async () => {
  const { asked, looks } = aRetry({ expected: 0, turnAt: 400_000 })
  await vi.advanceTimersByTimeAsync(1000)
  expect(asked).toEqual([400_000])
  expect(looks).toEqual([100_000, 400_000])
})

it('a caller follows the news of its clock until its turn has come, and then waits for another policy', () => {
  for (const [expected, followers] of [
    [300_000, 1],
    [0, 0],
  ] as const) {
    const retry = aRetry({ expected, turnAt: expected })
    expect(retry.followers).toBe(followers)
    retry.end()
  }
})
