// Callers that wait, while something changes under them. README.md lists the pairs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Policy, Decision } from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { ask, EVEN, expectAllServed, ID } from '../waiting/some-callers.ts'
import { view } from '../world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

it('callers that wait while units are given back start in order, and the line ends', async () => {
  const own = passingWorld()
  const wide = own.limiter({ ...EVEN, burst: 10 } as Policy)
  const used: Decision[] = []
  for (let i = 0; i < 10; i++) used.push(await wide.consume(ID))
  const turns = ask(own, wide, 10)
  await own.pass(150)
  for (const decision of used) await wide.settle(decision, 0)
  await own.pass(3_000)
  await Promise.all(turns)
  // At most the capacity, what is paid back, and what was given back.
  expect(own.starts.filter(({ at }) => at < 1_000).length).toBeLessThanOrEqual(10 + 10 + 10)
  await expectAllServed(own, wide, 10)
})

it('callers that wait while their counter is reset all start in order, and the line ends', async () => {
  const own = passingWorld()
  const limiter = own.limiter(EVEN)
  const turns = ask(own, limiter, 12)
  await own.pass(250)
  await limiter.reset(ID)
  await own.pass(3_000)
  await Promise.all(turns)
  await expectAllServed(own, limiter, 12)
})

it('requests that a guard holds while their counter is reset all pass, each once', async () => {
  const own = passingWorld()
  const limiter = own.limiter(EVEN)
  const patient = guard(limiter, { delay: { maxWait: '1h' } })
  const passed: number[] = []
  const held = Array.from({ length: 8 }, async (_, i) => {
    if ((await patient.enter(view(), {})).pass) passed.push(i)
  })
  await own.pass(250)
  await limiter.reset(view())
  await own.pass(2_000)
  await Promise.all(held)
  expect(passed).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})
