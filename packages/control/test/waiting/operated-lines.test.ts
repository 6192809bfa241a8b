// Callers that wait while an operator changes their limit, blocks them, or lets them pass.
import { guard } from '@halt/core/http'
import { fakeOutage } from '@halt/core/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { passingWorld } from '../../../core/test/waiting/passing-world.ts'
import { api, ask, EVEN, expectAllServed, noting } from '../../../core/test/waiting/some-callers.ts'
import { view } from '../../../core/test/world.ts'
import { Control } from '../../src/index.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

it.each([
  ['raised', 100],
  ['lowered', 5],
])('callers that wait while their limit is %s all start in order, and the line ends', async (_, limit) => {
  const own = passingWorld()
  vi.setSystemTime(own.clock.now())
  const control = new Control({ store: own.store })
  const limiter = own.limiter(EVEN, { control })
  const turns = ask(own, limiter, 12)
  await own.pass(250)
  await control.change('calls', { limit, burst: 1 })
  await own.pass(6_000)
  await Promise.all(turns)
  await expectAllServed(own, limiter, 12)
  control.close()
})

it('requests that a guard holds while their limit is raised all pass, each once', async () => {
  const own = passingWorld()
  vi.setSystemTime(own.clock.now())
  const control = new Control({ store: own.store })
  const patient = guard(own.limiter(EVEN, { control }), { delay: { maxWait: '1h' } })
  const passed: number[] = []
  const held = Array.from({ length: 8 }, async (_, i) => {
    if ((await patient.enter(view(), {})).pass) passed.push(i)
  })
  await own.pass(250)
  await control.change('calls', { limit: 100, burst: 1 })
  await own.pass(2_000)
  await Promise.all(held)
  expect(passed).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  control.close()
})

it('line() follows a changed limit, an abort, and a pause', async () => {
  const { limiter, store, acquire, pass } = passingWorld()
  const control = new Control({ store, warn: () => {} })
  const own = limiter(api, { control })
  const leaving = new AbortController()
  const turns: Promise<void>[] = []
  for (let i = 0; i < 5; i++) turns.push(acquire(own, 's', i))
  const last = own.acquire('s', { signal: leaving.signal })
  await pass(0)
  expect(await own.line('s')).toEqual({ units: 5, callers: 5, lastStartsInMs: 500 })
  await control.change('api', { limit: 5 })
  expect((await own.line('s')).lastStartsInMs).toBe(1000)
  leaving.abort()
  await expect(last).rejects.toThrow('aborted')
  expect(await own.line('s')).toEqual({ units: 4, callers: 4, lastStartsInMs: 800 })
  await own.pause('s', { for: 1 })
  expect((await own.line('s')).lastStartsInMs).toBe(1800)
  control.close()
  await Promise.all([own.close(), Promise.allSettled(turns)])
})

it('line() tells of a client that an operator blocks', async () => {
  const { limiter, store, acquire, pass } = passingWorld()
  const control = new Control({ store, warn: () => {} })
  const own = limiter(api, { control })
  for (let i = 0; i < 3; i++) void acquire(own, 's', i)
  await pass(0)
  await control.block('s')
  expect(await own.line('s')).toEqual({ units: 2, callers: 2, lastStartsInMs: 200 })
  await pass(200)
  expect(await own.line('s')).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
  control.close()
})

it('the hooks hear why a caller leaves without a turn', async () => {
  const { limiter, store, acquire, pass } = passingWorld()
  const { telemetry, heard } = noting()
  const control = new Control({ store, warn: () => {} })
  const own = limiter(api, { telemetry, control })
  await own.consume('s')
  const leaving = new AbortController()
  const turns: Promise<unknown>[] = [own.acquire('s', { signal: leaving.signal }).catch(() => {})]
  void acquire(own, 's', 'blocked')
  await pass(50)
  leaving.abort()
  await control.block('s')
  await pass(100)
  await control.unblock('s')
  turns.push(
    own.acquire('s'),
    own.acquire('s').catch(() => {}),
  )
  await pass(0)
  await Promise.all([own.close(), ...turns])
  expect(heard.filter(([event]) => event === 'leave')).toEqual([
    ['leave', 'custom:s', { policy: 'api', units: 1, waitedMs: 50, why: 'aborted' }],
    ['leave', 'custom:s', { policy: 'api', units: 1, waitedMs: 100, why: 'blocked' }],
    ['leave', 'custom:s', { policy: 'api', units: 1, waitedMs: 0, why: 'closed' }],
  ])
  control.close()
})

it('the hooks hear of every caller twice, whatever happens to it', async () => {
  const { limiter, store, pass } = passingWorld()
  const failing = fakeOutage(store)
  const control = new Control({ store: failing, warn: () => {} })
  const { telemetry, heard } = noting()
  const own = limiter(
    [api, { ...api, name: 'window', limit: 30, algorithm: 'sliding-window', burst: undefined }],
    { telemetry, control, store: failing, mostWaiting: 40, instances: 2 },
  )
  const count = (event: string): number => heard.filter(([name]) => name === event).length
  const turns: Promise<unknown>[] = []
  for (let step = 0; step < 60; step++) {
    const leaving = new AbortController()
    turns.push(
      own.acquire('s', { signal: leaving.signal, maxWait: step % 5 === 0 ? '300ms' : '10s' }).catch(() => {}),
      own
        .acquire('s', { maxWait: '2s' })
        .then(decision => (decision.allowed && step % 2 === 0 ? own.settle(decision, step % 4) : undefined))
        .catch(() => {}),
    )
    if (step % 4 === 1) leaving.abort()
    if (step === 20) failing.begin('refused')
    if (step === 30) failing.end()
    if (step === 35) await control.change('api', { limit: 3 })
    if (step === 45) await control.block('s', { for: '1s' })
    if (step === 50) await own.reset('s')
    await pass(37)
    expect(count('waiting') - count('turn') - count('leave')).toBe(own.waiting)
  }
  await own.close()
  await Promise.all(turns)
  expect(count('waiting')).toBeGreaterThan(40)
  expect([count('turn') > 5, count('leave') > 20]).toEqual([true, true])
  expect(count('turn') + count('leave')).toBe(count('waiting'))
  control.close()
})

it('callers that ask again pass, because an operator lets them', async () => {
  const { limiter, store, acquire, pass, starts } = passingWorld()
  const control = new Control({ store })
  const own = limiter({ name: 'w', limit: 1, window: 1, algorithm: 'fixed-window' }, { control })
  for (let i = 0; i < 4; i++) void acquire(own, 's', i)
  await pass(50)
  await control.allow({ custom: 's' })
  await pass(1500)
  expect(starts.map(({ name, decision }) => [name, decision.reason])).toEqual([
    [0, 'ok'],
    [1, 'exempt'],
    [2, 'exempt'],
    [3, 'exempt'],
  ])
  expect(own.waiting).toBe(0)
  control.close()
})

it('callers that have a place start at their turn, though an operator lets them pass meanwhile', async () => {
  const { limiter, store, acquire, pass, starts } = passingWorld()
  const control = new Control({ store })
  const own = limiter(EVEN, { control })
  for (let i = 0; i < 3; i++) void acquire(own, 's', i)
  await pass(50)
  await control.allow({ custom: 's' })
  await pass(200)
  expect(starts.map(({ name, at, decision }) => [name, at, decision.reason])).toEqual([
    [0, 0, 'ok'],
    [1, 100, 'ok'],
    [2, 200, 'ok'],
  ])
  expect((await own.acquire('s')).reason).toBe('exempt')
  control.close()
})
