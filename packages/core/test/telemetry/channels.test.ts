import { execFileSync } from 'node:child_process'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { processScript } from '../../../../tools/process-script.ts'
import {
  type DecisionMessage,
  type LineMessage,
  PenaltyManager,
  type Policy,
  QuotaManager,
  RateLimiter,
} from '../../src/index.ts'
import { openChannel } from '../../src/telemetry/channels.ts'
import { CLIENT, times, view, world } from '../world.ts'

const fixed: Policy = { name: 'p', limit: 1, window: 60, algorithm: 'fixed-window' }
const NAMES = ['halt:decision', 'halt:store:error', 'halt:penalty', 'halt:quota', 'halt:line'] as const

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

// The programs of other files may have run in this process, and still listen. Node lists them only here.
for (const name of NAMES) {
  const { _subscribers = [] } = channel(name) as { _subscribers?: Parameters<typeof subscribe>[1][] }
  for (const hear of _subscribers.slice()) unsubscribe(name, hear)
}

/** Subscribes to a channel. Returns its messages so far. */
function listen<M>(name: (typeof NAMES)[number]): M[] {
  const heard: M[] = []
  const hear = (message: unknown): void => void heard.push(message as M)
  subscribe(name, hear)
  ends.push(() => unsubscribe(name, hear))
  return heard
}

describe('diagnostics_channel', () => {
  it('halt:decision publishes each decision, even without telemetry', async () => {
    const heard = listen<DecisionMessage>('halt:decision')
    const limiter = world().limiter(fixed)
    const [allowed, blocked] = await times(2, limiter)
    const exempt = await limiter.check(view({ path: '/health' }))
    expect(heard.map(({ decision }) => decision)).toEqual([allowed, blocked, exempt])
    expect(heard[0]?.decision).toBe(allowed)
    expect(heard.map(({ metadata }) => metadata.outcome)).toEqual(['allowed', 'blocked', 'exempt'])
    expect(heard[0]).toMatchObject({
      key: `ip:${CLIENT}`,
      metadata: { policy: 'p', algorithm: 'fixed-window', endpoint: 'GET', store: 'reference' },
    })
    expect(heard.every(message => Object.isFrozen(message))).toBe(true)
    expect(heard[0]?.metadata.durationMs).toBeGreaterThan(0)
  })

  it('halt:decision publishes refusals that no counter decided', async () => {
    const heard = listen<DecisionMessage>('halt:decision')
    await world()
      .limiter({ ...fixed, keyStrategy: 'user', onMissingKey: 'deny' })
      .check(view())
    expect(heard.map(({ decision }) => decision.reason)).toEqual(['missing-key'])
  })

  it('channels and telemetry get the same facts', async () => {
    const heard = listen<DecisionMessage>('halt:decision')
    const onCheck = vi.fn<() => void>()
    await world().limiter(fixed, { telemetry: { onCheck } }).check(view())
    expect([heard.length, onCheck.mock.calls.length]).toEqual([1, 1])
    expect(onCheck.mock.calls[0]).toEqual([heard[0]?.key, heard[0]?.decision, heard[0]?.metadata])
  })

  it('halt:store:error publishes store failures', async () => {
    const heard = listen('halt:store:error')
    const error = new Error('gone')
    const store = { kind: 'mine', evaluate: () => Promise.reject(error), forget: () => 0 }
    await new RateLimiter({ store, policy: fixed, warn: () => {} }).check(view())
    await new QuotaManager(store, { warn: () => {} })
      .checkQuota('42', { name: 'q', limit: 1, period: 'daily' })
      .catch(() => {})
    expect(heard).toEqual(Array(2).fill({ error, failure: 'unavailable', store: 'mine' }))
  })

  it('halt:penalty publishes violations and penalties of limiters and managers', async () => {
    const heard = listen<{ event: string; key: string; severity: number }>('halt:penalty')
    const { limiter, store } = world(Date.now())
    await times(2, limiter(fixed, { penalty: { threshold: 1 } }))
    const penalties = new PenaltyManager({ store, config: { threshold: 2 } })
    await penalties.recordViolation('42', { severity: 2 })
    await penalties.applyPenalty('7')
    expect(heard.map(({ event, key, severity }) => [event, key, severity])).toEqual([
      ['violation', `ip:${CLIENT}`, 1],
      ['applied', `ip:${CLIENT}`, 0],
      ['violation', 'user:42', 2],
      ['applied', 'user:42', 0],
      ['applied', 'user:7', 0],
    ])
    expect(heard[1]).toMatchObject({ penalty: { isActive: true, abuseScore: 1 } })
  })

  it('halt:quota publishes checks, thresholds and refusals of limiters and managers', async () => {
    const heard = listen<{ event: string; allowed: boolean; threshold: number | undefined }>('halt:quota')
    const { limiter, store } = world(Date.now())
    const quota = { name: 'q', limit: 2, period: 'daily', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
    await times(3, limiter(quota))
    await new QuotaManager(store).consumeQuota({ ip: CLIENT }, quota)
    const said = heard.map(message => [message.event, message.allowed, message.threshold])
    expect(said).toEqual([
      ['check', true, undefined],
      ['check', true, undefined],
      ['threshold', true, 1],
      ['check', false, undefined],
      ['exceeded', false, undefined],
      ['check', false, undefined],
      ['exceeded', false, undefined],
    ])
  })

  it('halt:line publishes callers that wait, their turns, and those that leave', async () => {
    const heard = listen<LineMessage>('halt:line')
    const limiter = world(Date.now()).limiter({ name: 'p', limit: 100, window: 1, burst: 1 })
    const leaving = new AbortController()
    const turns = [1, 2].map(() => limiter.acquire('s'))
    const left = limiter.acquire('s', { signal: leaving.signal }).catch(() => {})
    leaving.abort()
    // The clock of the store stands still, so the second one is sent away.
    await Promise.all([turns[0], left])
    await Promise.all([limiter.close(), ...turns.map(turn => turn.catch(() => {}))])
    expect(heard).toMatchObject([
      { event: 'waiting', key: 'custom:s', policy: 'p', units: 1, startsInMs: 10 },
      { event: 'waiting', startsInMs: 20 },
      { event: 'leave', why: 'aborted' },
      { event: 'leave', why: 'closed' },
    ])
    expect(heard.every(message => Object.isFrozen(message))).toBe(true)
  })

  it('no channel publishes calls that charge nothing', async () => {
    const heard = NAMES.map(name => listen(name))
    const limiter = world().limiter([fixed, { name: 'q', limit: 2, period: 'daily' }])
    await limiter.peek(view())
    await limiter.explain(view())
    expect(heard.flat()).toEqual([])
  })

  it('a limiter does not read the clock when nothing listens', async () => {
    const now = vi.spyOn(performance, 'now')
    const before = vi.spyOn(channel('halt:decision'), 'publish')
    try {
      const limiter = world().limiter(fixed)
      now.mockClear()
      await times(3, limiter)
      expect([now.mock.calls.length, before.mock.calls.length]).toEqual([0, 0])
      listen('halt:decision')
      await limiter.check(view())
      expect([now.mock.calls.length, before.mock.calls.length]).toEqual([2, 1])
    } finally {
      now.mockRestore()
      before.mockRestore()
    }
  })

  it('a subscriber that came during a decision gets a duration of 0', async () => {
    const { store } = world()
    const waiting = {
      async evaluate(group: Parameters<typeof store.evaluate>[0]) {
        await Promise.resolve()
        return store.evaluate(group)
      },
      forget: () => 0,
    }
    const deciding = new RateLimiter({ store: waiting, policy: fixed }).check(view())
    const heard = listen<DecisionMessage>('halt:decision')
    await deciding
    expect(heard.map(({ metadata }) => metadata.durationMs)).toEqual([0])
  })
})

describe('without diagnostics_channel', () => {
  it.each([
    ['no process', undefined],
    ['an older process', {}],
    ['a process without that module', { getBuiltinModule: () => undefined }],
    [
      'a process that throws',
      {
        getBuiltinModule() {
          throw new Error('not here')
        },
      },
    ],
  ])('a channel with %s is silent', (_what, process) => {
    // Node needs its process for all that comes in meanwhile, so the other one must be gone before this turn of the event loop ends.
    vi.stubGlobal('process', process)
    try {
      const silent = openChannel('halt:decision')
      expect(silent.hasSubscribers).toBe(false)
      expect(() => silent.publish({})).not.toThrow()
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('checks are decided as usual without diagnostics_channel', async () => {
    // In a process of its own, because a module opens its channel once.
    const script = await processScript(new URL('without-channels.ts', import.meta.url))
    onTestFinished(() => script.remove())
    const printed = execFileSync(process.execPath, [script.path], { encoding: 'utf8' })
    expect(JSON.parse(printed)).toEqual({ allowed: [true, false], heard: 0 })
  })
})

describe('a subscriber that throws', () => {
  it('a subscriber that throws does not change a decision, and Node reports its error', () => {
    const script = `
      import { subscribe } from 'node:diagnostics_channel'
      process.on('uncaughtException', error => console.log('uncaught', error.message))
      subscribe('halt:decision', () => { throw new Error('broken') })
      subscribe('halt:decision', () => console.log('heard'))
      const channel = process.getBuiltinModule('node:diagnostics_channel').channel('halt:decision')
      channel.publish({})
      console.log('decided')`
    const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    })
    expect(printed.split('\n').slice(0, 3)).toEqual(['heard', 'decided', 'uncaught broken'])
  })
})
