// Upgrades to a WebSocket, beside what else a limiter does. packages/core/test/pairs/README.md lists the pairs.
import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { serve, upgradeWebSocket } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Control } from '@halt/control'
import { type Policy, PenaltyManager, RateLimiter, type RateLimiterOptions } from '@halt/core'
import { type FakeOutage, fakeOutage, ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { type Context, Hono } from 'hono'
import { expect, it, onTestFinished } from 'vitest'

import { halt, type HaltOptions } from '../../src/index.ts'

const ME = { ip: '127.0.0.1' } as const
const API: Policy = { name: 'api', limit: 2, window: '1h' }

/** A WebSocket server that upgrades, and keeps each socket until its client leaves. */
class Upgrader extends EventEmitter {
  readonly options: { readonly noServer: true } = { noServer: true }

  handleUpgrade(_request: unknown, socket: Socket): void {
    socket
      .resume()
      .on('end', () => socket.end())
      .write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
  }

  close(): void {}
}

interface Scene {
  readonly clock: ManualClock
  readonly store: FakeOutage
  readonly limiter: RateLimiter<Context>
  /** A further limiter of the same store. */
  readonly other: (policy: Policy) => RateLimiter
  readonly control: Control
  /** Asks for upgrades, one after the other. Returns their statuses. */
  readonly upgrade: (count?: number, path?: string) => Promise<string>
  readonly open: (path?: string) => Promise<Socket>
}

/** A server whose upgrades a limiter decides. */
async function scene(
  policy: RateLimiterOptions<Context>['policy'],
  options: Partial<RateLimiterOptions<Context>> &
    Pick<HaltOptions, 'chargeWhen' | 'delay' | 'idempotencyKey'> = {},
): Promise<Scene> {
  const { chargeWhen, delay, idempotencyKey, ...rest } = options
  const clock = new ManualClock()
  const store = fakeOutage(new InMemoryStore({ maxKeys: 100, clock: clock.now }))
  const warn = (): void => {}
  const control = new Control({ store, warn })
  onTestFinished(() => control.close())
  const limiter = new RateLimiter<Context>({ store, policy, control, warn, exemptPrivateIps: false, ...rest })
  const app = new Hono()
  app.use(halt({ limiter, getConnInfo, chargeWhen, delay, idempotencyKey } as HaltOptions))
  app.get(
    '/socket',
    upgradeWebSocket(() => ({})),
  )
  app.get('/none', c => c.text('no socket here', 404))
  const websocket = { server: new Upgrader() as never }
  const server = serve({ fetch: app.fetch, websocket, hostname: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const open = async (path = '/socket'): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    onTestFinished(() => void socket.destroy())
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    )
    return socket
  }
  const upgrade = async (count = 1, path?: string): Promise<string> => {
    const statuses: string[] = []
    for (let i = 0; i < count; i++) {
      const socket = await open(path)
      const [head] = (await once(socket, 'data')) as [string]
      statuses.push(head.slice(9, 12))
    }
    return statuses.join(' ')
  }
  const other = (own: Policy): RateLimiter => new RateLimiter({ store, policy: own, warn })
  return { clock, store, limiter, other, control, upgrade, open }
}

const rows: readonly (readonly [string, () => Promise<void>])[] = [
  [
    'a fair share',
    async () => {
      const by = (c: Context): string | undefined => c.req.query('tenant')
      const pool = {
        name: 'pool',
        limit: 100,
        window: 1,
        burst: 40,
        keyStrategy: 'shared',
        fair: { by },
      } as const
      const { clock, limiter, upgrade } = await scene(pool)
      for (let i = 0; i < 40; i++) await limiter.consume({ custom: 'a' })
      clock.advance('100ms')
      expect(await upgrade(1, '/socket?tenant=a')).toBe('429')
      expect(await upgrade(1, '/socket?tenant=b')).toBe('101')
    },
  ],
  [
    'an operator',
    async () => {
      const { control, upgrade } = await scene(API)
      await control.block(ME, { for: '1h' })
      expect(await upgrade()).toBe('429')
      await control.unblock(ME)
      await control.change('api', { limit: 1 })
      expect(await upgrade(2)).toBe('101 429')
      await control.allow(ME, { for: '1h' })
      expect(await upgrade(2)).toBe('101 101')
    },
  ],
  [
    'a penalty',
    async () => {
      const penalty = { threshold: 1, duration: '1h', multiplier: 0.5, decayRate: 0 } as const
      const { store, upgrade } = await scene(API, { penalty })
      await new PenaltyManager({ store, config: penalty }).applyPenalty(ME)
      expect(await upgrade(2)).toBe('101 429')
    },
  ],
  [
    'a quota',
    async () => {
      const { clock, upgrade } = await scene({
        name: 'day',
        limit: 2,
        period: 'daily',
        status: 402,
        keyStrategy: 'ip',
      } as Policy)
      expect(await upgrade(3)).toBe('101 101 402')
      clock.advance('1d')
      expect(await upgrade()).toBe('101')
    },
  ],
  [
    'shadow mode',
    async () => {
      const { limiter, upgrade } = await scene({ ...API, mode: 'shadow' } as Policy)
      expect(await upgrade(3)).toBe('101 101 101')
      expect((await limiter.peek(ME)).verdicts).toMatchObject([{ allowed: false, remaining: 0 }])
    },
  ],
  [
    'headroom',
    async () => {
      const { other, upgrade } = await scene({ ...API, headroom: 0.5 } as Policy)
      expect(await upgrade(2)).toBe('101 429')
      expect((await other(API).consume(ME)).allowed).toBe(true)
    },
  ],
  [
    'an idempotency key',
    async () => {
      const { limiter, upgrade } = await scene(API, { idempotencyKey: c => c.req.query('id') })
      expect(await upgrade(3, '/socket?id=1')).toBe('101 101 101')
      expect((await limiter.peek(ME)).remaining).toBe(1)
    },
  ],
  [
    'a reset',
    async () => {
      const { limiter, upgrade } = await scene(API)
      expect(await upgrade(3)).toBe('101 101 429')
      await limiter.reset(ME)
      expect(await upgrade(3)).toBe('101 101 429')
    },
  ],
  [
    'a changed policy',
    async () => {
      let limit = 1
      const { upgrade } = await scene(() => ({ name: 'api', limit, window: '1h' }))
      expect(await upgrade(2)).toBe('101 429')
      limit = 3
      expect(await upgrade(3)).toBe('101 101 429')
    },
  ],
  [
    'an outage',
    async () => {
      const [open, closed] = [
        await scene(API, { onStoreError: 'open' }),
        await scene(API, { onStoreError: 'closed' }),
      ]
      for (const { store } of [open, closed]) store.begin('refused')
      expect([await open.upgrade(3), await closed.upgrade(1)]).toEqual(['101 101 101', '503'])
    },
  ],
  [
    'eviction',
    async () => {
      const { limiter, upgrade } = await scene(API)
      expect(await upgrade(3)).toBe('101 101 429')
      for (let i = 0; i < 300; i++) await limiter.consume({ ip: `203.0.113.${i % 250}` })
      expect(await upgrade()).toBe('429')
    },
  ],
  [
    'a pause',
    async () => {
      const { clock, limiter, upgrade } = await scene(API)
      expect(await upgrade()).toBe('101')
      await limiter.pause(ME, { for: '1m' })
      expect(await upgrade(2)).toBe('429 429')
      clock.advance('1m')
      expect(await upgrade()).toBe('101')
    },
  ],
  [
    'a cool-down of another plan',
    async () => {
      const { clock, other, upgrade } = await scene(API)
      const strict = other({ ...API, blockDuration: '1m' } as Policy)
      const spent = await strict.consume(ME, { cost: 2 })
      await strict.consume(ME)
      await strict.settle(spent, 0)
      expect(await upgrade()).toBe('429')
      clock.advance('1m')
      expect(await upgrade(2)).toBe('101 101')
    },
  ],
  [
    'two buckets',
    async () => {
      const { clock, upgrade } = await scene([{ name: 'second', limit: 1, window: 1 }, API])
      expect(await upgrade(2)).toBe('101 429')
      clock.advance('1s')
      expect(await upgrade()).toBe('101')
      clock.advance('1s')
      expect(await upgrade()).toBe('429')
    },
  ],
]

it.each(rows)('an upgrade to a WebSocket passes or is refused as any request: %s', (_, play) => play())

it('chargeWhen refunds an upgrade that the app answers with an error, and no socket that opened', async () => {
  const { limiter, upgrade } = await scene({ ...API, limit: 5 } as Policy, {
    chargeWhen: ({ status }) => status !== 404,
  })
  expect(await upgrade(2, '/none')).toBe('404 404')
  await expect.poll(async () => (await limiter.peek(ME)).remaining).toBe(5)
  expect(await upgrade(2)).toBe('101 101')
  expect((await limiter.peek(ME)).remaining).toBe(3)
})

it('an upgrade is undecided until the app has answered it, and an open socket takes no place of inFlight', async () => {
  const logins = { ...API, algorithm: 'fixed-window', inFlight: 1 } as Policy
  const { limiter, upgrade } = await scene(logins, { chargeWhen: ({ status }) => status === 404 })
  // The place is free a moment after the answer.
  const answers = async (status: string, path?: string): Promise<void> => {
    await expect.poll(async () => (await limiter.peek(ME)).allowed).toBe(true)
    expect(await upgrade(1, path)).toBe(status)
  }
  for (let i = 0; i < 3; i++) await answers('101')
  for (let i = 0; i < 2; i++) await answers('404', '/none')
  await expect.poll(async () => (await limiter.peek(ME)).allowed).toBe(false)
  expect(await upgrade()).toBe('429')
})

it('a guard with delay holds upgrades in line, and decides them as without delay when the limiter closes', async () => {
  const { open, limiter } = await scene({ ...API, limit: 1, window: '1m' } as Policy, {
    delay: { maxWait: '5m' },
  })
  await once(await open(), 'data')
  const held = [await open(), await open()]
  await expect.poll(() => limiter.waiting).toBe(2)
  const heads = held.map(socket => once(socket, 'data') as Promise<[string]>)
  await limiter.close()
  expect((await Promise.all(heads)).map(([head]) => head.slice(9, 12))).toEqual(['429', '429'])
})

it('close() does not wait for open WebSockets', async () => {
  const { limiter, upgrade } = await scene({ name: 'sockets', algorithm: 'concurrency', limit: 2, ttl: '1m' })
  expect(await upgrade(3)).toBe('101 101 429')
  await limiter.close()
})
