import { Reports } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { afterEach, expect, it } from 'vitest'

import { Lines, mergeLines, MOST_LINES } from '../src/watch/lines.ts'
import { Recorder } from '../src/watch/recorder.ts'
import { readNumbers, writeNumbers } from '../src/watch/report.ts'
import { openSite, type Site } from './site.ts'

let site: Site | undefined
afterEach(async () => {
  await site?.close()
  site = undefined
})

const lines = async (): Promise<object[]> => (await site!.call('feed')).body['lines']

it('the page shows who waits for which policy, and takes away callers that have left', async () => {
  site = await openSite({ reveal: true })
  const limiter = new RateLimiter({
    store: new InMemoryStore(),
    policy: { name: 'calls', limit: 1, algorithm: 'concurrency', ttl: 60 },
    warn: () => {},
  })
  const holder = await limiter.acquire('stripe')
  const leaving = new AbortController()
  const turns = [1, 2].map(() => limiter.acquire('stripe'))
  const left = limiter.acquire('stripe', { signal: leaving.signal }).catch(() => {})
  await Promise.resolve()
  expect(await lines()).toEqual([
    { policy: 'calls', key: 'custom:stripe', callers: 3, since: expect.any(Number) },
  ])
  leaving.abort()
  await left
  await limiter.release(holder)
  const second = await turns[0]!
  expect(await lines()).toMatchObject([{ callers: 1, waitedMs: second.waitedMs }])
  await limiter.release(second)
  await limiter.release(await turns[1]!)
  expect(await lines()).toEqual([])
  await limiter.close()
})

it('the page adds the lines of other processes, hides keys, and leaves broken reports out', async () => {
  site = await openSite()
  const recorder = new Recorder('memory')
  recorder.stop()
  const line = { policy: 'calls', key: 'user:42', callers: 5, since: Date.now() - 3000, waitedMs: 2500 }
  const report = writeNumbers({
    ...recorder.read(Date.now()),
    lines: [line],
    waiting: 5,
    counted: [],
    shedders: [],
  })
  for (const text of [
    report,
    report.replace('"callers":5', '"callers":"5"'),
    report.replace('"since":', '"at":'),
  ])
    await new Reports({ store: site.store, name: 'operator-numbers' }).publish(text)
  const [seen] = (await lines()) as [{ readonly key: string; readonly callers: number }]
  expect(seen).toMatchObject({ policy: 'calls', callers: 5, waitedMs: 2500 })
  expect(seen.key).not.toContain('42')
  // A key that the page shows as a digest finds its client.
  expect((await site.call('find', { whom: seen.key })).status).toBe(200)
})

it('the numbers of a process that tells no lines are read all the same', () => {
  const recorder = new Recorder('memory')
  recorder.stop()
  const told = writeNumbers({ ...recorder.read(Date.now()), waiting: 5, counted: [], shedders: [] })
  const { lines: _, ...earlier } = JSON.parse(told) as Record<string, unknown>
  expect(readNumbers(JSON.stringify(earlier))).toMatchObject({ waiting: 5, lines: [] })
})

it('lines of several processes are one, the longest first, and at most ten are shown', () => {
  const one = { policy: 'p', key: 'user:a', callers: 2, since: 900, waitedMs: undefined }
  const many = Array.from({ length: 20 }, (_, i) => ({ ...one, key: `user:${i}`, callers: 1 }))
  const merged = mergeLines([one, ...many, { ...one, callers: 1, since: 500, waitedMs: 40 }])
  expect(merged).toHaveLength(MOST_LINES)
  expect(merged[0]).toEqual({ ...one, callers: 3, since: 500, waitedMs: 40 })
  expect(mergeLines([one, one])[0]).toEqual({ ...one, callers: 4 })
})

it('an end of a wait that began before the recording changes nothing', () => {
  const noted = new Lines()
  const caller = { policy: 'p', key: 'user:a', units: 1 }
  noted.note({ event: 'turn', ...caller, waitedMs: 5 }, 1)
  noted.note({ event: 'waiting', ...caller, startsInMs: 5 }, 2)
  noted.note({ event: 'leave', ...caller, waitedMs: 5, why: 'closed' }, 3)
  noted.note({ event: 'leave', ...caller, waitedMs: 5, why: 'closed' }, 4)
  expect(noted.read()).toEqual([])
})
