// The questions of a caller whose tenant waits for its turn in a shared bucket.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { Askers } from '../../src/waiting/callers.ts'
import type { Lines } from '../../src/waiting/lines.ts'
import { Retry } from '../../src/waiting/retry.ts'
import type { WaiterParts } from '../../src/waiting/waiter-parts.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('a caller whose turn cannot have come by the news puts its question off once, to the instant that they tell', async () => {
  const clock = (): number => performance.now() * 1000
  const begun = clock()
  const [asked, looks]: [number[], number[]] = [[], []]
  const turnAt = begun + 400_000
  const turns = {
    expected: () => 0,
    notBefore: () => {
      looks.push(clock() - begun)
      return turnAt > clock() ? turnAt : 0
    },
    follow() {},
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
  await vi.advanceTimersByTimeAsync(1000)
  expect(asked).toEqual([400_000])
  expect(looks).toEqual([100_000, 400_000])
})
