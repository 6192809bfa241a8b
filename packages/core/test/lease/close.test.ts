import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { RatePolicy } from '../../src/index.ts'
import { StoreMisread } from '../../src/store/evaluation-check.ts'
import type { Evaluation, Group } from '../../src/databases/index.ts'
import { processes, type Processes, taken } from './processes.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const YEAR: RatePolicy = {
  name: 'hot',
  limit: 1000,
  window: '300d',
  algorithm: 'fixed-window',
  lease: { share: 0.1, idle: '2s' },
}

type Answer = Evaluation | Promise<Evaluation>

/**
 * A process with a call on its way that takes units. Its store answers nobody once it was closed.
 *
 * @param answer changes the answer to such a call
 */
async function taking(delay: number, answer: (own: Answer) => Answer = own => own) {
  const hot = processes(1, YEAR, { delay: () => delay })
  const limiter = hot.limiters[0] as Processes['limiters'][0]
  const closed: number[] = []
  const evaluate = limiter.store.evaluate.bind(limiter.store)
  Object.assign(limiter.store, {
    close: () => void closed.push(hot.now()),
    evaluate: (group: Group): Answer => {
      if (closed.length > 0) throw new StoreMisread('closed')
      return group.demands[0]?.terms === undefined ? evaluate(group) : answer(evaluate(group))
    },
  })
  while (taken(hot.groups).takes === 0) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  return { hot, limiter, closed }
}

/** Closes the limiter, and tells how many units the store has charged in the end. */
async function usedAfterClose({ hot, limiter, closed }: Awaited<ReturnType<typeof taking>>) {
  const isDone = limiter.close().then(() => true)
  await hot.pass(500)
  expect(await isDone).toBe(true)
  expect(closed).toHaveLength(1)
  const { lease: _, ...exact } = YEAR
  return { used: 1000 - (await hot.limiter(exact).peek('s')).remaining, closedAt: closed[0] as number }
}

it('close() waits for a call that takes units, and gives them back before it closes the store', async () => {
  const own = await taking(10)
  await own.hot.pass(15)
  const began = own.hot.now()
  const { used, closedAt } = await usedAfterClose(own)
  expect(used).toBe(own.hot.uses.filter(({ allowed }) => allowed).length)
  expect(closedAt - began).toBeLessThanOrEqual(40)
  expect(taken(own.hot.groups).returns).toBeGreaterThan(0)
})

it('close() gives back at once what it holds where nothing is on its way', async () => {
  const own = await taking(0)
  await own.hot.pass(1)
  const began = own.hot.now()
  const { used, closedAt } = await usedAfterClose(own)
  expect(used).toBe(own.hot.uses.filter(({ allowed }) => allowed).length)
  // A turn of the event loop passes, in case that requests end in it.
  expect(closedAt).toBeLessThanOrEqual(began + 1)
})

it('close() goes on where the call fails', async () => {
  const own = await taking(10, async () => {
    throw new StoreMisread('down')
  })
  const { closedAt } = await usedAfterClose(own)
  expect(closedAt).toBeGreaterThan(0)
})

it('close() waits for a call without an answer no longer than storeTimeout', async () => {
  const own = await taking(0, () => new Promise<never>(() => {}))
  const began = own.hot.now()
  const { closedAt } = await usedAfterClose(own)
  expect(closedAt - began).toBeGreaterThan(50)
  // The deadline counts only the time in which a process is free, so a busy one waits a little longer than 100 ms.
  expect(closedAt - began).toBeLessThan(500)
})

it('a second close() does nothing', async () => {
  const own = await taking(0)
  await own.limiter.close()
  const { length } = own.hot.groups
  await own.limiter.close()
  expect(own.hot.groups).toHaveLength(length)
})
