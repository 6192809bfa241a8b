import { channel } from 'node:diagnostics_channel'
import { Control, Reports } from '@halt/control'
import { type PolicyVerdict, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { Clocks } from '../src/watch/clocks.ts'
import { Companions } from '../src/watch/companions.ts'
import { Health } from '../src/watch/health.ts'
import { merge } from '../src/watch/merge.ts'
import { Recorder } from '../src/watch/recorder.ts'
import { type ProcessNumbers, readNumbers, writeNumbers } from '../src/watch/report.ts'
import { Tallies } from '../src/watch/tallies.ts'
import { tokenOf } from '../src/watch/token.ts'
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
    const watch = new Watch(store, [{ limiter, policies: [], chooses: false, plans: [] }], () => [])
    undone.push(() => watch.close())
    return watch
  }
  return { store, calls, limiter, make, watch: make() }
}
const isRecording = (): boolean => channel('halt:decision').hasSubscribers

it('a block is no number of a counter, and its refusals are those of an operator', async () => {
  const store = new InMemoryStore()
  const control = new Control({ store, warn: () => {} })
  const limiter = new RateLimiter({
    store,
    control,
    policy: [
      { name: 'company', limit: 600, window: '1h', keyExtractor: () => 'acme' },
      { name: 'per_user', limit: 5, window: '1h', keyStrategy: 'user' },
    ],
    exemptPrivateIps: false,
  })
  const recorder = new Recorder('memory')
  undone.push(
    () => recorder.stop(),
    () => control.close(),
  )
  const ask = () => limiter.check({ user: { id: 'cleo' }, socket: { remoteAddress: '203.0.113.7' } })
  await control.block({ user: 'cleo' })
  for (let i = 0; i < 3; i++) expect((await ask()).reason).toBe('blocked')
  const blocked = recorder.read(Date.now())
  expect(blocked.policies).toEqual([])
  expect(blocked.refused).toMatchObject([{ policy: '(blocked by an operator)', key: 'user:cleo', count: 3 }])
  expect(recorder.countedUnder('user:cleo')).toEqual([])
  await control.unblock({ user: 'cleo' })
  recorder.isWatched = true
  await ask()
  expect(recorder.read(Date.now()).policies).toMatchObject([
    { policy: 'per_user', key: 'user:cleo', remaining: 4, limit: 5 },
    { policy: 'company', key: 'custom:acme', remaining: 599, limit: 600 },
  ])
})

describe('a process that nobody watches', () => {
  it('a process that nobody watches tells nothing, and asks the store once in two seconds', async () => {
    const { calls, limiter } = watched()
    await limiter.consume({ user: '42' })
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls).toEqual(Array.from({ length: 1 + 10 }, () => 'read operator-watched'))
  })

  it('a process tells its last hour when somebody watches another one, and nothing 30 s after the last look', async () => {
    const { store, make, watch, limiter, calls } = watched()
    const other = make()
    for (let i = 0; i < 3; i++) await limiter.consume({ user: '42' })
    await vi.advanceTimersByTimeAsync(1_800_000)
    await watch.read()
    watch.close()
    expect(calls).not.toContain('write operator-numbers')
    await vi.advanceTimersByTimeAsync(2_000)
    const reports = new Reports({ store, name: 'operator-numbers' })
    const [told] = (await reports.read()).flatMap(({ text }) => readNumbers(text) ?? [])
    expect(told?.hour.allowed.filter(n => n > 0)).toEqual([2])
    expect(told?.hour.refused.filter(n => n > 0)).toEqual([1])
    await vi.advanceTimersByTimeAsync(26_000)
    expect(await reports.read()).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(8_000)
    expect(await reports.read()).toHaveLength(0)
    other.close()
  })

  it('a watch listens from its start to its end', async () => {
    // Other files of this process may listen too.
    const others = isRecording()
    const { watch } = watched()
    expect(isRecording()).toBe(true)
    watch.close()
    expect(isRecording()).toBe(others)
  })
})

describe('who decides', () => {
  it('a process does not know who decides before the first request, nor after the store failed', async () => {
    const health = new Health('redis', NOW)
    expect(health.read().decides).toBe('unknown')
    health.decided(false, 'redis', 1, NOW)
    expect(health.read().decides).toBe('store')
    health.failed('timeout', 'redis', NOW)
    expect(health.read().decides).toBe('unknown')
    health.decided('local', 'redis', 1, NOW)
    health.failed('timeout', 'redis', NOW)
    expect(health.read().decides).toBe('local')
    health.recovered(NOW)
    expect(health.read().decides).toBe('store')
  })
})

describe('the other keys of a client', () => {
  const verdict = (policy: string, key: string, allowed = true): PolicyVerdict =>
    ({ policy, key, allowed, reason: allowed ? 'ok' : 'quota-exceeded' }) as PolicyVerdict

  it('the other keys of a client are remembered, the latest first, in bounded memory', () => {
    const companions = new Companions()
    companions.note([verdict('per_user', 'user:1')], NOW)
    expect(companions.of('user:1')).toEqual([])
    for (let i = 0; i < 12; i++)
      companions.note([verdict('per_user', 'user:1'), verdict('month', `custom:c${i}`, false)], NOW + i)
    expect(companions.of('user:1').map(({ key }) => key)).toEqual(
      [11, 10, 9, 8, 7, 6, 5, 4].map(i => `custom:c${i}`),
    )
    expect(companions.of('custom:c3')).toMatchObject([{ policy: 'per_user', key: 'user:1', allowed: true }])
    for (let i = 0; i < 3_000; i++) companions.note([verdict('a', `user:${i}`), verdict('b', `ip:${i}`)], NOW)
    expect(companions.of('user:1')).toEqual([])
    expect(companions.of('user:2999')).toHaveLength(1)
    expect(companions.ofToken(tokenOf('user:2999'))).toEqual(companions.of('user:2999'))
    expect(companions.ofToken(tokenOf('user:1'))).toEqual([])
  })

  it('the other keys of a client that passes are noted once a second, and those of a refusal at once', () => {
    const companions = new Companions()
    const pass = [verdict('per_user', 'user:1'), verdict('month', 'custom:acme')]
    companions.note(pass, NOW)
    companions.note(pass, NOW + 999)
    expect(companions.of('user:1')).toMatchObject([{ at: NOW, allowed: true }])
    companions.note([pass[0]!, verdict('month', 'custom:acme', false)], NOW + 999)
    expect(companions.of('user:1')).toMatchObject([
      { at: NOW + 999, allowed: false, reason: 'quota-exceeded' },
    ])
  })

  it('a question for other keys does not show the key of the client in a document that watchers share', async () => {
    const { store, watch, make } = watched()
    const other = make()
    await vi.advanceTimersByTimeAsync(2_000)
    const key = 'user:mallory@example.com'
    await watch.countedUnder([key])
    await vi.advanceTimersByTimeAsync(4_000)
    const texts = await Promise.all(
      ['operator-watched', 'operator-numbers'].map(async name => (await store.document(name).read())?.text),
    )
    expect(texts[0]).toContain(tokenOf(key))
    for (const text of texts) expect(text).not.toContain('mallory')
    other.close()
  })

  it('a process tells the other keys of a client at which somebody looks by its token', async () => {
    const { store, watch, limiter, make } = watched()
    const other = make()
    await vi.advanceTimersByTimeAsync(2_000)
    const month = { name: 'month', limit: 9, window: '1h', keyExtractor: () => 'acme' } as const
    await limiter.check({ user: { id: '7' }, socket: { remoteAddress: '203.0.113.7' } }, { also: month })
    await watch.countedUnder(['user:7'])
    await vi.advanceTimersByTimeAsync(4_000)
    const told = await new Reports({ store, name: 'operator-numbers' }).read()
    expect(told.map(({ text }) => readNumbers(text)?.counted)).toContainEqual([
      {
        token: tokenOf('user:7'),
        under: [{ policy: 'month', key: 'custom:acme', allowed: true, reason: 'ok', at: NOW + 2_000 }],
      },
    ])
    other.close()
  })

  it('the other keys of a client come from all processes, some seconds after the first look', async () => {
    const { store, watch, make } = watched()
    const other = make()
    await vi.advanceTimersByTimeAsync(4_000)
    // Both watches listen to this process, so the report of another one is written by hand.
    expect(await watch.countedUnder(['user:7'])).toEqual({ under: [], isWhole: true })
    await vi.advanceTimersByTimeAsync(2_000)
    expect((await store.document('operator-watched').read())?.text).toBe(
      `{"tokens":["${tokenOf('user:7')}"]}`,
    )
    const recorder = new Recorder('memory')
    recorder.stop()
    const under = [{ policy: 'month', key: 'custom:acme', allowed: false, reason: 'quota-exceeded', at: NOW }]
    const numbers = {
      ...recorder.read(Date.now()),
      waiting: 0,
      shedders: [],
      counted: [{ token: tokenOf('user:7'), under }],
    }
    await new Reports({ store, name: 'operator-numbers' }).publish(writeNumbers(numbers))
    expect(await watch.countedUnder(['user:7'])).toEqual({ under, isWhole: true })
    expect((await watch.countedUnder(['user:8'])).isWhole).toBe(false)
    other.close()
  })
})

it('a recorder passes over messages of another version of Halt, and counts those that follow', async () => {
  vi.useFakeTimers({ now: NOW })
  const recorder = new Recorder('memory')
  undone.push(() => recorder.stop())
  // An error of a listener would end the process.
  const errors: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', error => errors.push(error))
  undone.push(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
  })
  for (const name of ['decision', 'quota', 'penalty', 'line', 'store:error', 'store:recovered'])
    for (const message of [{}, undefined, { key: 5, decision: null }])
      channel(`halt:${name}`).publish(message)
  await new Promise(process.nextTick)
  expect(errors).toEqual([])
  const limiter = new RateLimiter({
    store: new InMemoryStore(),
    policy: { name: 'api', limit: 1, window: 60 },
  })
  for (let i = 0; i < 2; i++) await limiter.consume('42')
  const { counts } = recorder.read(NOW)
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0)
  expect([sum(counts.allowed), sum(counts.refused)]).toEqual([1, 1])
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

it('a policy tells in how many seconds of the last minute tenants had to wait for their turn', () => {
  const tallies = new Tallies()
  const refused = {
    policy: 'backend',
    allowed: false,
    reason: 'fair-share',
    limit: 100,
    remaining: 0,
    resetAt: NOW / 1000 + 1,
    retryAfter: 1,
    key: 'user:42',
    mode: 'enforce',
  } as const
  tallies.count({ ...refused, reason: 'limited' }, NOW)
  expect(tallies.read(NOW)[0]).not.toHaveProperty('scarce')
  for (const second of [0, 0.5, 1, 30, 59, 60]) tallies.count(refused, NOW + second * 1000)
  const at = (second: number) => tallies.read(NOW + second * 1000)[0]!
  expect([60, 90, 119, 120].map(second => at(second).scarce)).toEqual([4, 2, 1, 0])
  // Processes see the same seconds.
  const recorder = new Recorder('memory')
  recorder.stop()
  const other = { ...recorder.read(NOW), waiting: 0, shedders: [], counted: [] }
  const told = [at(90), at(60), { ...at(60), scarce: undefined }].map(tally => ({
    ...other,
    policies: [tally],
  }))
  expect(merge(told, NOW).policies[0]).toMatchObject({ policy: 'backend', scarce: 4 })
})

describe('the numbers of all processes', () => {
  it('the numbers of all processes come from their reports, and broken ones are left out', async () => {
    const { store, watch, limiter } = watched()
    await watch.read()
    for (let i = 0; i < 3; i++) await limiter.consume({ user: '42' })
    const recorder = new Recorder('memory')
    await limiter.consume({ user: '42' })
    recorder.stop()
    const other = { waiting: 4, counted: [], shedders: [], ...recorder.read(Date.now()) }
    const reports = [0, 1, 2].map(() => new Reports({ store, name: 'operator-numbers' }))
    await reports[0]!.publish(writeNumbers(other))
    await reports[1]!.publish('{"halt":3}')
    await reports[2]!.publish(writeNumbers(other).replace('"halt":3', '"halt":2'))
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

  it('the numbers of a process are cut to the length of a report, however long the names are', () => {
    const key = 'x'.repeat(2_000)
    const recorder = new Recorder('memory')
    recorder.stop()
    const numbers: ProcessNumbers = {
      ...recorder.read(NOW),
      waiting: 0,
      counted: [],
      shedders: [],
      used: Array.from({ length: 10 }, () => ({ policy: 'p', key, count: 1, error: 0 })),
    }
    const text = writeNumbers(numbers)
    expect(JSON.stringify(text).length).toBeLessThan(16_000)
    expect(readNumbers(text)?.used.length).toBeGreaterThan(0)
  })

  it('the numbers of a process whose clock is wrong are moved to the right time', () => {
    const recorder = new Recorder('memory')
    recorder.stop()
    const ahead = 3_600_000
    const numbersAt = (now: number) => ({
      ...recorder.read(now + ahead),
      waiting: 0,
      counted: [],
      shedders: [],
      id: 'other',
    })
    const clocks = new Clocks()
    clocks.read([numbersAt(NOW)], NOW)
    const [seen] = clocks.read([numbersAt(NOW + 2_000)], NOW + 2_000)
    expect(seen).toMatchObject({ ahead, now: NOW + 2_000, counts: { second: (NOW + 2_000) / 1000 } })
    // Unchanged numbers say nothing new.
    const [again] = clocks.read([numbersAt(NOW + 2_000)], NOW + 9_000)
    expect(again).toMatchObject({ ahead })
  })
})
