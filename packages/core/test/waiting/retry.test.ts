// The questions of a caller whose tenant waits for its turn in a shared bucket.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type Demand, type Group, Mode, shareRuleOf, type Terms } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { Askers } from '../../src/waiting/callers.ts'
import { Lines, waitingRoom } from '../../src/waiting/lines.ts'
import { Retry } from '../../src/waiting/retry.ts'
import { ticketsAfter } from '../../src/waiting/tickets.ts'
import type { WaiterParts } from '../../src/waiting/waiter-parts.ts'
import { ruleOf } from '../algorithms/table.ts'
import { asking } from './some-callers.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  vi.advanceTimersByTime(1000)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Ten units a second, which tenants share. */
const pool = ruleOf({ algorithm: 'token-bucket', counter: 'pool', limit: 10, window: 1 })

/** A tenant that has taken the whole bucket, and asks for one unit more. */
function scene() {
  const clock = (): number => performance.now() * 1000
  const store = new ReferenceStore(() => performance.now())
  const lines = new Lines()
  const ask = (tenant: string, cost: number, terms: Terms = {}, wantsTicket = false) => {
    const share = { rule: shareRuleOf(pool, tenant), weight: 1, wantsTicket }
    const demand: Demand = {
      rule: pool,
      subject: 's',
      cost,
      mode: Mode.CHARGE,
      penalized: false,
      terms: { ...terms, share },
    }
    const group: Group = { demands: [demand] }
    const evaluation = store.evaluate(group)
    lines.turns.observe(group, evaluation, clock())
    return { group, evaluation }
  }
  ask('user:a', 10)
  const { group, evaluation } = ask('user:a', 1, { maxWait: 60e6 }, true)
  const asked: number[] = []
  const caller = {
    seq: 1,
    isLost: false,
    drop() {},
    deadline: clock() + 60e6,
    policy: 'shared',
    most: 1,
    ask: () => void asked.push(clock()),
  }
  const retry = new Retry(caller, { lines, store: { clock } } as unknown as WaiterParts)
  const check = { ...group, policies: [], extras: undefined, penalty: undefined, idempotency: undefined }
  retry.tickets = ticketsAfter({ check, evaluation } as never, undefined)
  const waits = (): void => retry.after(new Askers(() => {}), evaluation.startsIn!, [])
  return { lines, ask, asked, retry, waits, clock }
}

it('a caller whose turn cannot have come by the news puts its question off once, to the instant that they tell', async () => {
  const { lines, ask, asked, retry, waits, clock } = scene()
  waits()
  const first = retry.asksAt!
  expect(first).toBeGreaterThan(clock() + 100_000)
  // Another tenant takes what comes back, so that the turn comes later.
  await vi.advanceTimersByTimeAsync(100)
  expect(ask('user:b', 1).evaluation.allowed).toBe(true)
  const looks = vi.spyOn(lines.turns, 'notBefore')
  await vi.advanceTimersByTimeAsync(Math.ceil((first - clock()) / 1000))
  expect(asked).toEqual([])
  expect(retry.asksAt).toBeGreaterThan(first + 1000)
  await vi.advanceTimersByTimeAsync(5000)
  expect(asked).toHaveLength(1)
  expect(looks).toHaveBeenCalledTimes(2)
})

it('a caller follows the news of its clock until its turn has come, and then waits for another policy', async () => {
  const { lines, ask, retry, waits } = scene()
  const follows = vi.spyOn(lines.turns, 'follow')
  waits()
  expect(follows).toHaveBeenCalledTimes(1)
  retry.end()
  await vi.advanceTimersByTimeAsync(5000)
  ask('user:b', 0)
  waits()
  expect(follows).toHaveBeenCalledTimes(1)
  retry.end()
})

it('news that come late do not put off a caller whose turn is told by later ones', async () => {
  const { lines, ask, retry, clock } = scene()
  const late = ask('user:b', 0)
  await vi.advanceTimersByTimeAsync(100)
  ask('user:b', 0)
  const told = lines.turns.notBefore(retry.tickets!)
  expect(told).toBeGreaterThan(clock())
  await vi.advanceTimersByTimeAsync(50)
  lines.turns.observe(late.group, late.evaluation, clock())
  expect(lines.turns.notBefore(retry.tickets!)).toBe(told)
})

it('a caller asks at once when news tell that its turn has come, though it was expected later', async () => {
  const { lines, ask, asked, retry, waits, clock } = scene()
  // Another tenant has made the clock slow so far.
  for (let i = 0; i < 8; i++) {
    await vi.advanceTimersByTimeAsync(100)
    ask('user:b', 1)
  }
  waits()
  const expected = retry.asksAt!
  expect(expected).toBeGreaterThan(lines.turns.notBefore(retry.tickets!))
  await vi.advanceTimersByTimeAsync(Math.ceil((lines.turns.notBefore(retry.tickets!) - clock()) / 1000) + 1)
  expect([asked, clock() < expected - 5000]).toEqual([[], true])
  ask('user:b', 0)
  await vi.advanceTimersByTimeAsync(2)
  expect(asked).toHaveLength(1)
})

describe('on Workers', () => {
  beforeEach(() => void vi.spyOn(waitingRoom.alarms, 'isShared', 'get').mockReturnValue(false))

  const first = asking(0)

  it('on Workers a caller behind others looks each 50 ms whether it is the next, and asks at once if it is', async () => {
    const { retry, clock } = scene()
    const askers = new Askers(() => {})
    askers.join(first)
    retry.behind(askers)
    expect(retry.asksAt).toBe(clock() + 60e6)
    expect([retry.left(), retry.seenAt]).toEqual([50_000, clock()])
    askers.part(first)
    expect(retry.left()).toBe(0)
    retry.end()
  })

  it('on Workers a caller that is woken asks once, by an alarm of its own, and rests after a refusal', () => {
    const { retry, asked, waits } = scene()
    waits()
    expect(retry.left()).toBe(50_000)
    retry.wake()
    expect([retry.left(), asked]).toEqual([0, []])
    // Its alarm rings.
    retry.end()
    retry.ring()
    expect(asked).toHaveLength(1)
    waits()
    expect(retry.left()).toBe(50_000)
    retry.end()
  })
})

it('a caller that has stopped listening hears of no turn', () => {
  const { lines, ask, retry } = scene()
  const holder = { tickets: retry.tickets, turnCame: vi.fn<() => void>() }
  lines.turns.follow(holder)
  vi.advanceTimersByTime(5000)
  ask('user:b', 0)
  expect(holder.turnCame).toHaveBeenCalledTimes(1)
  lines.turns.forget(holder)
  ask('user:b', 0)
  expect(holder.turnCame).toHaveBeenCalledTimes(1)
})
