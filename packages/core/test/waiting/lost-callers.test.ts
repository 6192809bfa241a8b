// Callers on Workers whose request has ended without a word: no alarm of theirs rings any more.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { Alarms } from '../../src/waiting/alarms.ts'
import { waitingRoom } from '../../src/waiting/lines.ts'
import { passingWorld } from './passing-world.ts'

const room = waitingRoom as { alarms: Alarms }
const { alarms } = room
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  room.alarms = new Alarms()
})
afterEach(() => {
  room.alarms = alarms
  vi.useRealTimers()
})

it('a caller whose request has ended without a word takes no room from those that come later', async () => {
  const world = passingWorld()
  const policy = { name: 'w', limit: 1, window: 60, algorithm: 'fixed-window' } as const
  const limiter = world.limiter(policy, { mostWaiting: waitingRoom.size + 2 })
  await limiter.consume('s')
  const leaving = new AbortController()
  const acquire = (maxWait: string): Promise<string> =>
    limiter.acquire('s', { maxWait, signal: leaving.signal }).then(
      ({ allowed }) => (allowed ? 'admitted' : 'refused'),
      () => 'left',
    )
  // On Workers a timer is a number, and ends with the request that started it.
  const { setTimeout } = globalThis
  globalThis.setTimeout = (() => 1) as never
  void acquire('10m')
  await Promise.resolve()
  globalThis.setTimeout = ((callback: () => void, ms: number) => (setTimeout(callback, ms), 1)) as never
  const second = acquire('10m')
  await world.pass(100)
  expect(await acquire('10m')).toBe('refused')
  await world.pass(3300)
  const third = acquire('10m')
  await world.pass(100)
  leaving.abort()
  expect([await second, await third]).toEqual(['left', 'left'])
  globalThis.setTimeout = setTimeout
  await world.pass(10)
})
