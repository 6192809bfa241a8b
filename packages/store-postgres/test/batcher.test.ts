import { setImmediate as turn } from 'node:timers/promises'

import { Admitted, Batcher, type Evaluation, type Group } from '@halt/core/store'
import { expect, it } from 'vitest'

import { BATCH_RULES } from '../src/store.ts'
import { bucket, demand, group } from './rules.ts'

const ask = group(demand('a'))

/** A batcher whose statements resolve when a test settles them, and the groups of each statement. */
function held(): {
  readonly batcher: Batcher
  readonly calls: (readonly Group[])[]
  readonly settle: (call: number, error?: Error) => void
} {
  const calls: (readonly Group[])[] = []
  const settles: ((error?: Error) => void)[] = []
  const send = (groups: readonly Group[]): Promise<readonly (Evaluation | Error)[]> => {
    const at = calls.push(groups)
    return new Promise((resolve, reject) =>
      settles.push(error => {
        if (error === undefined) resolve(groups.map((_, i) => new Admitted(at, bucket(), i)))
        else reject(error)
      }),
    )
  }
  return { batcher: new Batcher(send, BATCH_RULES), calls, settle: (call, error) => settles[call]?.(error) }
}

it('a check that comes alone is sent in the same turn of the event loop', async () => {
  const { batcher, calls, settle } = held()
  const answer = batcher.add(ask)
  await Promise.resolve()
  expect(calls).toHaveLength(1)
  settle(0)
  await answer
})

it('the checks of one turn share a statement, and each gets its own answer', async () => {
  const { batcher, calls, settle } = held()
  const answers = Array.from({ length: 20 }, () => batcher.add(ask))
  await turn()
  expect(calls.map(({ length }) => length)).toEqual([20])
  settle(0)
  expect((await Promise.all(answers)).map(({ states }) => states[0]?.[2])).toEqual(
    Array.from({ length: 20 }, (_, i) => i),
  )
})

it.each([1, 6])('a statement locks at most 48 counters if a check has %i', async policies => {
  const { batcher, calls, settle } = held()
  const check = group(...Array.from({ length: policies }, () => demand('a')))
  const answers = Array.from({ length: 200 }, () => batcher.add(check))
  await expect
    .poll(() => {
      calls.forEach((_, i) => settle(i))
      return calls.reduce((sum, { length }) => sum + length, 0)
    })
    .toBe(200)
  calls.forEach((_, i) => settle(i))
  await Promise.all(answers)
  expect(Math.max(...calls.map(({ length }) => length * policies))).toBe(48)
})

it('a statement without a reply delays no other check', async () => {
  const { batcher, calls, settle } = held()
  const first = batcher.add(ask)
  await turn()
  const second = batcher.add(ask)
  await expect.poll(() => calls.length).toBe(2)
  settle(1)
  expect(await second).toMatchObject({ allowed: true })
  settle(0)
  await first
})

it('the error of a statement is the error of its checks, and the next check is sent', async () => {
  const { batcher, calls, settle } = held()
  const answers = [batcher.add(ask), batcher.add(ask)]
  await turn()
  settle(0, new Error('gone'))
  expect(await Promise.allSettled(answers)).toMatchObject([
    { status: 'rejected', reason: { message: 'gone' } },
    { status: 'rejected', reason: { message: 'gone' } },
  ])
  const next = batcher.add(ask)
  await expect.poll(() => calls.length).toBe(2)
  settle(1)
  await next
})
