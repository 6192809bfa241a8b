import { type HaltError, type HaltWarning, type Quota, QuotaManager, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { afterEach, describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { Stopwatch } from '../../../tools/stopwatch.ts'
import { WebhookTelemetry, type WebhookTelemetryOptions } from '../src/index.ts'
import { SECRET, startReceiver } from './receiver.ts'

const monthly: Quota = {
  name: 'api_calls',
  limit: 10,
  period: 'monthly',
  anchor: aMinuteAgo(),
  thresholds: [0.8],
}
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) await each()
})

async function scene(
  answers: readonly (number | 'hang')[] = [],
  options: Partial<WebhookTelemetryOptions> = {},
) {
  const receiver = await startReceiver(...answers)
  const warnings: HaltWarning[] = []
  const warn = (warning: HaltWarning): void => void warnings.push(warning)
  const webhooks = new WebhookTelemetry({ url: receiver.url, secret: SECRET, warn, ...options })
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy: monthly, telemetry: webhooks, warn })
  undo.push(receiver.close, () => webhooks.close())
  const use = async (user: string, cost: number): Promise<void> =>
    void (await limiter.consume({ user }, { cost }))
  return { ...receiver, webhooks, warnings, use }
}

describe('an event', () => {
  it('an event is posted and signed when a threshold is reached, and when the quota first refuses', async () => {
    const { received, webhooks, use } = await scene([], { headers: { authorization: 'Bearer x' } })
    await use('42', 8)
    await use('42', 1)
    for (let i = 0; i < 5; i++) await use('42', 5)
    await webhooks.close()
    expect(received.map(({ event }) => event)).toMatchObject([
      {
        type: 'quota.threshold',
        data: { quota: 'api_calls', key: 'user:42', used: 8, remaining: 2, limit: 10, threshold: 0.8 },
      },
      { type: 'quota.exceeded', data: { quota: 'api_calls', key: 'user:42', used: 9, remaining: 1 } },
    ])
    expect(received[0]?.headers).toMatchObject({
      authorization: 'Bearer x',
      'content-type': 'application/json',
    })
    expect([webhooks.sent, webhooks.dropped]).toEqual([2, 0])
  })

  it('an event has the same id in every process and at every attempt, and another one for another client', async () => {
    const { received, webhooks, use } = await scene([500])
    const other = new WebhookTelemetry({
      url: 'http://127.0.0.1:1',
      secret: SECRET,
      attempts: 1,
      warn: () => {},
    })
    undo.push(() => other.close())
    await use('42', 8)
    await expect.poll(() => received).toHaveLength(1)
    await webhooks.close()
    const again = await scene()
    await again.use('42', 8)
    await again.use('43', 8)
    await again.webhooks.close()
    const [first, second] = received
    expect(second?.id).toBe(first?.id)
    expect(second?.event).toEqual(first?.event)
    const ids = again.received.map(({ id }) => id)
    expect(ids).toContain(first?.id)
    expect(new Set(ids).size).toBe(2)
  })

  it('a threshold and a refusal are events anew after a top-up, with the same id in every process', async () => {
    const { received, webhooks } = await scene()
    const other = await scene()
    const quota: Quota = { ...monthly, thresholds: [1] }
    // Two processes that hear of the same events: each has a store of its own.
    for (const telemetry of [webhooks, other.webhooks]) {
      const store = new InMemoryStore()
      const limiter = new RateLimiter({ store, policy: quota, telemetry, warn: () => {} })
      const use = (cost: number): Promise<unknown> => limiter.consume({ user: '42' }, { cost })
      await use(10)
      await use(1)
      await use(1)
      await new QuotaManager(store).grantQuota({ user: '42' }, quota, 90)
      await use(90)
      await use(1)
      const raised = new RateLimiter({ store, policy: { ...quota, limit: 20 }, telemetry, warn: () => {} })
      await raised.consume({ user: '42' }, { cost: 10 })
    }
    await Promise.all([webhooks.close(), other.webhooks.close()])
    const told = received.map(
      ({ event: { type, data } }) => `${type} ${data.used}/${data.limit + data.granted}`,
    )
    expect(told.toSorted()).toEqual([
      'quota.exceeded 10/10',
      'quota.exceeded 100/100',
      'quota.threshold 10/10',
      'quota.threshold 100/100',
      'quota.threshold 110/110',
    ])
    const ids = received.map(({ id }) => id)
    expect(new Set(ids).size).toBe(5)
    expect(other.received.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
  })

  it('an event has one content type, which the headers may choose', async () => {
    const { received, webhooks, use } = await scene([], {
      headers: { 'Content-Type': 'application/json', 'X-Shop': '7' },
    })
    await use('42', 8)
    await webhooks.close()
    expect(received[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'x-shop': '7' })
    const other = await scene([], { headers: { 'Content-Type': 'application/cloudevents+json' } })
    await other.use('42', 8)
    await other.webhooks.close()
    expect(other.received[0]?.headers['content-type']).toBe('application/cloudevents+json')
  })

  it('an event never holds an API key', async () => {
    const { received, webhooks } = await scene()
    const limiter = new RateLimiter({
      store: new InMemoryStore(),
      policy: { ...monthly, keyStrategy: 'api-key' },
      telemetry: webhooks,
      warn: () => {},
    })
    await limiter.consume({ apiKey: 'very-secret' }, { cost: 8 })
    await webhooks.close()
    expect(received[0]?.event.data.key).toMatch(/^api-key:#/)
    expect(JSON.stringify(received)).not.toContain('very-secret')
  })
})

describe('a receiver that fails', () => {
  it('a receiver that fails gets the event again after a wait', async () => {
    const { received, webhooks, use, warnings } = await scene([503])
    await use('42', 8)
    await expect.poll(() => webhooks.sent).toBe(1)
    expect(received).toHaveLength(2)
    expect(warnings).toEqual([])
  })

  it('a receiver that does not take four events gets a fifth before their next attempts', async () => {
    const { received, use } = await scene(Array(4).fill(503))
    for (const user of ['1', '2', '3', '4', '5']) await use(user, 8)
    await expect.poll(() => received.length).toBeGreaterThanOrEqual(5)
    expect(received.slice(0, 5).map(({ event }) => event.data.key)).toContain('user:5')
  })

  it('the events that wait for their next attempt count for the queue', async () => {
    const { received, webhooks, use } = await scene(Array(9).fill(503), { queue: 3 })
    for (const user of ['1', '2', '3']) await use(user, 8)
    await expect.poll(() => received).toHaveLength(3)
    // All three have been answered once the next one has room to be sent.
    await expect
      .poll(async () => (await use(`${received.length}x${Math.random()}`, 8), webhooks.dropped))
      .toBeGreaterThan(0)
  })

  it('a receiver that always fails loses the event after the last attempt, with one warning for all', async () => {
    const { webhooks, use, warnings } = await scene(Array(4).fill(500), { attempts: 1 })
    for (const user of ['1', '2', '3', '4']) await use(user, 8)
    await expect.poll(() => webhooks.dropped).toBe(4)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_WEBHOOK'])
    expect(warnings[0]?.message).toContain('it answered 500')
  })

  it('a redirect of a receiver is not followed', async () => {
    const { webhooks, use, warnings } = await scene([307], { attempts: 1 })
    await use('42', 8)
    await expect.poll(() => webhooks.dropped).toBe(1)
    expect(warnings[0]?.message).toContain('307')
  })

  it.each([400, 401, 404, 413, 422])(
    'a receiver that answers %i loses the event at once, and all others go on',
    async status => {
      const { received, webhooks, use, warnings } = await scene(Array(4).fill(status))
      for (let user = 0; user < 12; user++) await use(String(user), 8)
      await expect.poll(() => [webhooks.sent, webhooks.dropped]).toEqual([8, 4])
      expect(received).toHaveLength(12)
      expect(warnings).toMatchObject([{ message: expect.stringContaining(`it answered ${status}`) }])
    },
  )

  it.each([408, 425, 429])('a receiver that answers %i gets the event again after a wait', async status => {
    const { received, webhooks, use, warnings } = await scene([status])
    await use('42', 8)
    await expect.poll(() => received).toHaveLength(1)
    await webhooks.close()
    expect([webhooks.sent, webhooks.dropped, warnings]).toEqual([1, 0, []])
  })

  it('a receiver that answers 410 gets no event any more', async () => {
    const { received, webhooks, use } = await scene([410])
    await use('42', 8)
    await expect.poll(() => webhooks.dropped).toBe(1)
    await use('43', 8)
    expect(webhooks.dropped).toBe(2)
    expect(received).toHaveLength(1)
  })

  it('a receiver that answers 410 does not get the events that wait either', async () => {
    const { received, webhooks, use, warnings } = await scene(Array(50).fill(410))
    for (let user = 0; user < 50; user++) await use(String(user), 8)
    await expect.poll(() => webhooks.dropped).toBe(50)
    // Four are sent at a time.
    expect(received.length).toBeLessThanOrEqual(4)
    await webhooks.close()
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_WEBHOOK'])
  })

  it('a receiver that answers 410 does not get an event again that it has refused before', async () => {
    const { received, webhooks, use } = await scene([500, 410])
    await use('42', 8)
    await expect.poll(() => received).toHaveLength(1)
    await use('43', 8)
    await expect.poll(() => webhooks.dropped).toBe(2)
    expect(received).toHaveLength(2)
  })

  it('a receiver that hangs lets close end after one timeout, however many events wait', async () => {
    const { webhooks, use } = await scene(Array(200).fill('hang'), { timeout: '100ms' })
    for (let user = 0; user < 200; user++) await use(String(user), 8)
    const watch = new Stopwatch()
    await webhooks.close()
    expect(watch.stop()).toBeLessThan(1_000)
    expect([webhooks.sent, webhooks.dropped]).toEqual([0, 200])
  })

  it('a receiver that comes back gets the events that wait at close', async () => {
    const { received, webhooks, use } = await scene(Array(40).fill(503))
    for (let user = 0; user < 40; user++) await use(String(user), 8)
    await expect.poll(() => received.length).toBeGreaterThanOrEqual(40)
    await webhooks.close()
    expect([webhooks.sent, webhooks.dropped]).toEqual([40, 0])
  })

  it('close drops all events of a receiver that hangs after one timeout, with a warning', async () => {
    const hangs = Array<'hang'>(100).fill('hang')
    const { received, webhooks, use, warnings } = await scene(hangs, { timeout: '300ms' })
    for (let user = 0; user < 40; user++) await use(String(user), 8)
    await expect.poll(() => received.length).toBeGreaterThanOrEqual(4)
    await webhooks.close()
    expect([webhooks.sent, webhooks.dropped]).toEqual([0, 40])
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_WEBHOOK'])
    // With a timeout for each, all forty would have come.
    expect(new Set(received.map(({ id }) => id)).size).toBeLessThan(20)
  })

  it('a warning tells why a receiver cannot be reached', async () => {
    const { webhooks, use, warnings } = await scene([], { url: 'http://127.0.0.1:1/', attempts: 1 })
    await use('42', 8)
    await expect.poll(() => webhooks.dropped).toBe(1)
    expect(warnings[0]?.message).toMatch(/ECONNREFUSED|bad port|failed/)
  })
})

it('the queue is bounded: later events are dropped, and told', async () => {
  const { webhooks, use, warnings } = await scene(Array(20).fill('hang'), { queue: 2, timeout: '50ms' })
  for (let user = 0; user < 10; user++) await use(String(user), 8)
  expect(webhooks.dropped).toBe(4)
  expect(warnings[0]?.message).toContain('too many events wait')
})

it('wrong options are errors with a code', () => {
  const url = 'https://example.com/hook'
  const cases: [string, unknown][] = [
    ['HALT_E_OPTION', { url: 'example.com', secret: SECRET }],
    ['HALT_E_OPTION', { url: 'file:///etc/passwd', secret: SECRET }],
    ['HALT_E_SECRET', { url, secret: 'short' }],
    ['HALT_E_SECRET', { url }],
    ['HALT_E_DURATION', { url, secret: SECRET, timeout: 'soon' }],
    ['HALT_E_OPTION', { url: 'https://me:hunter2@example.com/hook', secret: SECRET }],
    ['HALT_E_OPTION', { url: 'https://hunter2@example.com/hook', secret: SECRET }],
    ['HALT_E_OPTION', { url: 'ftp://me:hunter2@example.com/hook', secret: SECRET }],
    ['HALT_E_OPTION', { url: 'https://me:hunter2@', secret: SECRET }],
    ['HALT_E_OPTION', { url, secret: SECRET, timeout: '60d' }],
    ['HALT_E_OPTION', { url, secret: SECRET, timeout: '11m' }],
    ['HALT_E_OPTION', { url, secret: SECRET, attempts: 0 }],
    ['HALT_E_OPTION', { url, secret: SECRET, queue: 1e9 }],
    ['HALT_E_OPTION', { url, secret: SECRET, headers: { 'a b': 'c' } }],
    ...[
      'Content-Length',
      'Transfer-Encoding',
      'EXPECT',
      'Host',
      'Connection',
      'Keep-Alive',
      'Upgrade',
      'webhook-id',
    ].map((name): [string, unknown] => ['HALT_E_OPTION', { url, secret: SECRET, headers: { [name]: '1' } }]),
    ['HALT_E_UNKNOWN_FIELD', { url, secret: SECRET, retries: 3 }],
  ]
  for (const [code, options] of cases) {
    let error: Partial<HaltError> = {}
    try {
      new WebhookTelemetry(options as WebhookTelemetryOptions)
    } catch (thrown) {
      error = thrown as HaltError
    }
    expect(error.code).toBe(code)
    expect(String(error.message)).not.toContain(SECRET)
    expect(String(error.stack)).not.toContain('hunter2')
  }
})
