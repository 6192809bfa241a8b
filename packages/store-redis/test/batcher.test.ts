import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import { Batcher, type Demand, type Group, Mode, type Rule, type Evaluation } from '@halt/core/store'
import { describe, expect, it } from 'vitest'

import { BATCH_RULES, loadOf } from '../src/server-time.ts'

const rule = (code: Rule['code'], precision = 10): Rule => ({
  code,
  counter: `p:${code}`,
  limit: 5,
  capacity: 5,
  unit: 1,
  rate: 1,
  window: 3e6,
  slice: 3e6 / precision,
  precision,
  cooldown: 0,
  reduced: undefined,
})
const demand = (of: Rule): Demand => ({
  rule: of,
  subject: 's',
  cost: 1,
  mode: Mode.CHARGE,
  penalized: false,
})
const group: Group = { demands: [demand(rule('t'))] }
const heavy: Group = { demands: [demand(rule('s', 300))] }
const answer = (groups: readonly Group[]): Evaluation[] =>
  groups.map(({ demands }) => ({ now: demands.length }) as Evaluation)

/** A batcher whose calls resolve when a test settles them, and the groups of each call. */
function held(isTurnOnly?: boolean): {
  readonly batcher: Batcher
  readonly calls: (readonly Group[])[]
  readonly settle: (call: number) => void
} {
  const calls: (readonly Group[])[] = []
  const settles: (() => void)[] = []
  const send = (groups: readonly Group[]): Promise<Evaluation[]> => {
    calls.push(groups)
    return new Promise(resolve => settles.push(() => resolve(answer(groups))))
  }
  return { calls, batcher: new Batcher(send, BATCH_RULES, isTurnOnly), settle: call => settles[call]?.() }
}

it('the batcher sends every group, and no more keys per call than a script can unpack', async () => {
  const sent: number[] = []
  const batcher = new Batcher(async groups => {
    sent.push(groups.reduce((keys, { demands }) => keys + demands.length, 0))
    await sleep(5)
    return answer(groups)
  }, BATCH_RULES)
  const wide = (count: number): Group => ({ demands: Array.from({ length: count }, () => demand(rule('t'))) })
  const groups = [...Array.from({ length: 500 }, () => wide(40)), wide(6000), wide(1)]
  const verdicts = await Promise.all(groups.map(each => batcher.add(each)))
  expect(verdicts.map(({ now }) => now)).toEqual(groups.map(({ demands }) => demands.length))
  expect(sent.reduce((a, b) => a + b)).toBe(500 * 40 + 6000 + 1)
  // A group with more keys is sent alone.
  expect(sent.filter(keys => keys > 4000)).toEqual([6000])
})

describe('checks of one turn of the event loop', () => {
  /** A batcher, and the number of groups in each of its calls. */
  function counting(): { readonly batcher: Batcher; readonly sizes: number[] } {
    const sizes: number[] = []
    const send = async (groups: readonly Group[]): Promise<Evaluation[]> => {
      sizes.push(groups.length)
      // Ends when all have come, before any timer has run.
      for (let i = 0; i < 3; i++) await turn()
      return answer(groups)
    }
    return { sizes, batcher: new Batcher(send, BATCH_RULES) }
  }

  /** Many checks in one turn of the event loop, each in its own task, as if read from as many sockets. */
  const inTasks = (batcher: Batcher, count: number): Promise<unknown> =>
    Promise.all(
      Array.from(
        { length: count },
        () => new Promise(resolve => setImmediate(() => resolve(batcher.add(group)))),
      ),
    )

  it('checks of one turn share a call once checks come together', async () => {
    // A turn of a millisecond sends what waits for so long. A busy machine may hold a turn up, so the scene is played again then.
    for (let tries = 1; ; tries++) {
      const { batcher, sizes } = counting()
      const began = performance.now()
      await inTasks(batcher, 10)
      const first = sizes.splice(0)
      await inTasks(batcher, 10)
      if (performance.now() - began >= 1 && tries < 500) continue
      // The first call is sent before others come.
      expect(first).toEqual([1, 9])
      expect(sizes).toEqual([10])
      return
    }
  })

  it('checks are sent at once and alone while one comes after the other', async () => {
    const { batcher, sizes } = counting()
    for (let i = 0; i < 3; i++) await batcher.add(group)
    const pending = batcher.add(group)
    await Promise.resolve()
    expect(sizes).toEqual([1, 1, 1, 1])
    await pending
  })

  it('checks share few calls when very many are pending', async () => {
    const { batcher, sizes } = counting()
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await batcher.add(group)
    }
    await Promise.all(Array.from({ length: 256 }, worker))
    expect(sizes.reduce((a, b) => a + b)).toBe(256 * 20)
    // 20 rounds of two calls, and some more on a busy machine.
    expect(sizes.length).toBeLessThanOrEqual(160)
  })
})

describe('a check that comes while a call is pending', () => {
  it('a check is sent after a millisecond although no call ever has a reply', async () => {
    const { batcher, calls } = held()
    for (let i = 1; i <= 10; i++) {
      void batcher.add(group)
      await Promise.resolve()
      void batcher.add(group)
      await sleep(20)
      // A timer that was due later has run, so the earlier ones have run, too.
      expect(calls.flat().length).toBe(2 * i)
    }
  })

  it('a check waits for others until a reply comes or enough checks wait', async () => {
    const { batcher, calls, settle } = held()
    void batcher.add(group)
    await Promise.resolve()
    expect(calls.length).toBe(1)
    const second = [batcher.add(group), batcher.add(group)]
    settle(0)
    // Only microtasks run, so no time passes.
    for (let i = 0; i < 20; i++) await Promise.resolve()
    expect(calls.map(({ length }) => length)).toEqual([1, 2])
    for (let i = 0; i < 30; i++) void batcher.add(group)
    await turn()
    expect(calls.map(({ length }) => length)).toEqual([1, 2, 30])
    settle(1)
    await Promise.all(second)
  })

  it('a check is sent at once when the only call without a reply is old', async () => {
    const { batcher, calls, settle } = held()
    void batcher.add(group)
    await sleep(5)
    for (let i = 1; i < 5; i++) {
      const pending = batcher.add(group)
      await Promise.resolve()
      // The last call was sent more than a millisecond ago.
      expect(calls.length).toBe(i + 1)
      settle(i)
      await pending
      await sleep(5)
    }
  })
})

describe('on Workers, where a call ends with the request that made it, a check', () => {
  it('a check on Workers shares a call only with its own turn, and waits for no call of another', async () => {
    const { batcher, calls } = held(true)
    for (let i = 1; i <= 3; i++) {
      void batcher.add(group)
      void batcher.add(group)
      // Only microtasks run, so no other request is served.
      await Promise.resolve()
      expect(calls.map(({ length }) => length)).toEqual(Array.from({ length: i }, () => 2))
    }
  })

  it('heavy checks on Workers are sent although no call ever has a reply', async () => {
    const { batcher, calls } = held(true)
    for (let i = 0; i < 128; i++) void batcher.add(heavy)
    await Promise.resolve()
    expect(calls.flat().length).toBe(128)
  })
})

describe('a call', () => {
  it('a call holds no more load than 512 units, whatever the number of checks', async () => {
    const { batcher, calls, settle } = held()
    const mixed = Array.from({ length: 300 }, (_, i) => batcher.add(i % 3 === 0 ? heavy : group))
    for (let i = 0; i < calls.length || calls.flat().length < 300; i++) {
      await turn()
      settle(i)
    }
    await Promise.all(mixed)
    expect(calls.flat()).toEqual(Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? heavy : group)))
    for (const groups of calls) {
      expect(groups.reduce((work, each) => work + loadOf(each), 0)).toBeLessThanOrEqual(512)
      expect(groups.filter(each => each === heavy).length).toBeLessThanOrEqual(3)
    }
  })

  it('a check above the most load is sent alone', async () => {
    const { batcher, calls, settle } = held()
    const huge: Group = { demands: Array.from({ length: 3 }, () => demand(rule('s', 1000))) }
    const all = [group, huge, group, huge].map(each => batcher.add(each))
    await turn()
    for (let i = 0; i < 4; i++) settle(i)
    await Promise.all(all)
    expect(calls.map(({ length }) => length)).toEqual([1, 1, 1, 1])
  })

  it('calls of heavy checks wait for replies, so that few are pending', async () => {
    const { batcher, calls, settle } = held()
    const all = Array.from({ length: 128 }, () => batcher.add(heavy))
    await Promise.resolve()
    const out = calls.flat().length
    expect(out).toBeLessThanOrEqual(16)
    for (let i = 0; calls.flat().length < 128; i++) {
      settle(i)
      await turn()
    }
    for (const i of calls.keys()) settle(i)
    await Promise.all(all)
  })

  it('calls of heavy checks are sent one after the other although no call ever has a reply', async () => {
    const { batcher, calls } = held()
    for (let i = 0; i < 128; i++) void batcher.add(heavy)
    for (let i = 0; i < 500 && calls.flat().length < 128; i++) await sleep(2)
    expect(calls.flat().length).toBe(128)
  })
})
