import { channel } from 'node:diagnostics_channel'
import { RateLimiter, Reports } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { Clocks } from '../src/watch/clocks.ts'
import { merge } from '../src/watch/merge.ts'
import { Recorder } from '../src/watch/recorder.ts'
import { type ProcessNumbers, readNumbers, writeNumbers } from '../src/watch/report.ts'
import { Tallies } from '../src/watch/tallies.ts'
import { Watch } from '../src/watch/watch.ts'

const NOW = Date.UTC(2026, 10, 26, 21)
const undone: (() => void)[] = []
afterEach(() => {
  for (const undo of undone.splice(0)) undo()
  vi.useRealTimers()
})

/** A store whose calls of documents are counted, and a watch of it. */
function watched() {
  vi.useFakeTimers({ now: NOW })
  const store = new InMemoryStore({ clock: () => Date.now() })
  const calls: string[] = []
  const document = store.document.bind(store)
  store.document = name => {
    const found = document(name)
    return {
      read: since => (calls.push(`read ${name}`), found.read(since)),
      write: (text, since) => (calls.push(`write ${name}`), found.write(text, since)),
    }
  }
  const limiter = new RateLimiter({
    store,
    policy: { name: 'api', limit: 2, window: '1h', keyStrategy: 'user' },
  })
  const make = (): Watch => {
    const watch = new Watch(store, [{ limiter, policies: [], chooses: false }])
    undone.push(() => watch.close())
    return watch
  }
  return { store, calls, limiter, make, watch: make() }
}
const isRecording = (): boolean => channel('halt:decision').hasSubscribers

describe('a process that nobody watches', () => {
  it('records nothing, and asks the store once in two seconds', async () => {
    const { calls } = watched()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls).toEqual(Array.from({ length: 1 + 10 }, () => 'read operator-watched'))
    expect(isRecording()).toBe(false)
  })

  it('begins when somebody watches another process, and ends half a minute after the last look', async () => {
    const { make, watch, limiter } = watched()
    const other = make()
    await vi.advanceTimersByTimeAsync(4_000)
    await watch.read()
    watch.close()
    expect(isRecording()).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(isRecording()).toBe(true)
    await limiter.consume({ user: '42' })
    await vi.advanceTimersByTimeAsync(26_000)
    expect(isRecording()).toBe(true)
    await vi.advanceTimersByTimeAsync(8_000)
    expect(isRecording()).toBe(false)
    other.close()
  })
})

it('a message of another version of Halt does not end the process', () => {
  const recorder = new Recorder('memory')
  for (const name of ['decision', 'quota', 'penalty', 'store:error', 'store:recovered'])
    channel(`halt:${name}`).publish({})
  for (const name of ['decision', 'quota', 'penalty']) channel(`halt:${name}`).publish(undefined)
  recorder.stop()
  expect(recorder.read(NOW).counts.allowed).toHaveLength(120)
})

it('a counter with a burst above its limit is a tightest one too', () => {
  const tallies = new Tallies()
  const verdict = {
    policy: 'api',
    allowed: true,
    reason: 'ok',
    limit: 100,
    remaining: 119,
    resetAt: NOW / 1000 + 1,
  } as const
  tallies.count({ ...verdict, retryAfter: 0, key: 'user:42', mode: 'enforce' }, NOW)
  expect(tallies.read(NOW)).toMatchObject([{ key: 'user:42', limit: 100, remaining: 119 }])
})

describe('the numbers of all processes', () => {
  it('come together from their reports, and broken ones are left out', async () => {
    const { store, watch, limiter } = watched()
    await watch.read()
    for (let i = 0; i < 3; i++) await limiter.consume({ user: '42' })
    const recorder = new Recorder('memory')
    await limiter.consume({ user: '42' })
    recorder.stop()
    const other = { waiting: 4, ...recorder.read(Date.now()) }
    const reports = [0, 1, 2].map(() => new Reports({ store, name: 'operator-numbers' }))
    await reports[0]!.publish(writeNumbers(other))
    await reports[1]!.publish('{"halt":1}')
    await reports[2]!.publish(writeNumbers(other).replace('"halt":1', '"halt":2'))
    const { processes, problem } = await watch.read()
    expect(problem).toBe(undefined)
    expect(processes).toHaveLength(2)
    const all = merge(processes, Date.now())
    // The first process has recorded the fourth decision too.
    expect(all.policies).toMatchObject([{ policy: 'api', allowed: 2, refused: 3, remaining: 0 }])
    expect(all.refused).toMatchObject([{ key: 'user:42', policy: 'api', count: 3 }])
    expect(all.counts.refused.at(-1)).toBe(3)
    expect(all.waiting).toBe(4)
  })

  it('are cut to the length of a report, however long the names are', () => {
    const key = 'x'.repeat(2_000)
    const recorder = new Recorder('memory')
    recorder.stop()
    const numbers: ProcessNumbers = {
      ...recorder.read(NOW),
      waiting: 0,
      used: Array.from({ length: 10 }, () => ({ policy: 'p', key, count: 1, error: 0 })),
    }
    const text = writeNumbers(numbers)
    expect(JSON.stringify(text).length).toBeLessThan(16_000)
    expect(readNumbers(text)?.used.length).toBeGreaterThan(0)
  })

  it('are those of a process whose clock is wrong, moved to the right time', () => {
    const recorder = new Recorder('memory')
    recorder.stop()
    const ahead = 3_600_000
    const numbersAt = (now: number) => ({ ...recorder.read(now + ahead), waiting: 0, id: 'other' })
    const clocks = new Clocks()
    clocks.read([numbersAt(NOW)], NOW)
    const [seen] = clocks.read([numbersAt(NOW + 2_000)], NOW + 2_000)
    expect(seen).toMatchObject({ ahead, now: NOW + 2_000, counts: { second: (NOW + 2_000) / 1000 } })
    // Unchanged numbers say nothing new.
    const [again] = clocks.read([numbersAt(NOW + 2_000)], NOW + 9_000)
    expect(again).toMatchObject({ ahead })
  })
})
