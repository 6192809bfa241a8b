import { setTimeout as sleep } from 'node:timers/promises'

import { type Decision, RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, describe, expect, it } from 'vitest'

import { ask, type RunningServer, startRedis } from '../../../tools/servers.ts'
import { RedisStore } from '../src/index.ts'

/** What is done to a server, and how it is mended; gives the server that stands in the end. */
interface Fault {
  readonly name: string
  begin(server: RunningServer): Promise<unknown>
  end(server: RunningServer): Promise<RunningServer>
  /** The most units an abuser may get beyond the limit it had spent before. */
  readonly overAdmitted: number
}

const faults: readonly Fault[] = [
  {
    name: 'gone, and back empty',
    begin: server => server.stop(),
    end: server => startRedis({ port: server.port }),
    // Who is known to be refused stays so, though the server has forgotten it.
    overAdmitted: 0,
  },
  {
    name: 'hung (SIGSTOP)',
    begin: async server => server.process.kill('SIGSTOP'),
    end: async server => {
      server.process.kill('SIGCONT')
      return server
    },
    overAdmitted: 0,
  },
  {
    name: 'read-only',
    begin: server => ask(server.port, 'REPLICAOF 127.0.0.1 1'),
    end: async server => {
      await ask(server.port, 'REPLICAOF NO ONE')
      return server
    },
    overAdmitted: 0,
  },
  {
    name: 'out of memory',
    begin: server => ask(server.port, 'CONFIG SET maxmemory 1'),
    end: async server => {
      await ask(server.port, 'CONFIG SET maxmemory 0')
      return server
    },
    overAdmitted: 0,
  },
  {
    name: 'without its scripts',
    begin: server => ask(server.port, 'SCRIPT FLUSH'),
    end: async server => {
      await ask(server.port, 'SCRIPT FLUSH')
      return server
    },
    overAdmitted: 0,
  },
]

const LIMIT = 20
const FAULT_MS = 3_000
const rows: string[] = []
afterAll(() => {
  console.log(
    ['', 'fault | client | good 200 | slowest good ms | over-admitted | back after ms', ...rows, ''].join(
      '\n',
    ),
  )
})

const clients = {
  ioredis: (port: number) => new Redis(port),
  'node-redis': (port: number) => {
    const client = createClient({ url: `redis://127.0.0.1:${port}` })
    void client.connect()
    return client
  },
} as const

describe.concurrent('an outage of Redis', () => {
  for (const fault of faults) {
    for (const [name, open] of Object.entries(clients)) {
      it(
        `that is ${fault.name} refuses no good client and lets no abuser in: ${name}`,
        { timeout: 30_000 },
        async () => {
          let server = await startRedis()
          const client = open(server.port)
          client.on('error', () => {})
          const store = new RedisStore({ client })
          const warnings = new Set<string>()
          const policy = { name: 'p', limit: LIMIT, window: 3600 }
          const limiter = new RateLimiter({ store, policy, warn: ({ code }) => warnings.add(code) })
          await warm(store)
          // The abuser has spent all before the fault begins, and the limiter has seen it refused.
          for (let i = 0; i <= LIMIT; i++) await limiter.consume('abuser')
          const load = start(limiter)
          await sleep(300)
          await fault.begin(server)
          await sleep(FAULT_MS)
          server = await fault.end(server)
          const back = await backAfter(limiter)
          await sleep(300)
          const seen = await load.stop()
          rows.push(
            [
              fault.name,
              name,
              `${seen.good - seen.refused}/${seen.good}`,
              seen.slowest.toFixed(0),
              seen.over,
              back.toFixed(0),
            ].join(' | '),
          )
          expect(seen.refused).toBe(0)
          expect(seen.failed).toBe(0)
          expect(seen.slowest).toBeLessThan(100 + 150)
          expect(seen.over).toBeLessThanOrEqual(fault.overAdmitted)
          expect(back).toBeLessThan(2_000)
          await limiter.close()
          if (client instanceof Redis) client.disconnect()
          else client.destroy()
          await server.stop()
        },
      )
    }
  }
})

async function warm(store: RedisStore): Promise<void> {
  for (let i = 0; i < 300; i++) {
    try {
      return void (await store.probe())
    } catch {
      await sleep(10)
    }
  }
}

/** 100 requests a second: half from 50 good keys, half from one abuser. */
function start(limiter: RateLimiter): {
  stop(): Promise<{ good: number; refused: number; failed: number; slowest: number; over: number }>
} {
  const seen = { good: 0, refused: 0, failed: 0, slowest: 0, over: 0 }
  const out = new Set<Promise<void>>()
  let turn = 0
  const timer = setInterval(() => {
    const isGood = turn++ % 2 === 0
    const started = performance.now()
    const call = limiter
      .consume(isGood ? `good${turn % 100}` : 'abuser')
      .then((decision: Decision) => {
        if (!isGood) return void (seen.over += decision.allowed ? 1 : 0)
        seen.good++
        seen.refused += decision.allowed ? 0 : 1
        seen.slowest = Math.max(seen.slowest, performance.now() - started)
      })
      .catch(() => void seen.failed++)
      .finally(() => out.delete(call))
    out.add(call)
  }, 10)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(out)
      return seen
    },
  }
}

/** How long until the store decides again, milliseconds. */
async function backAfter(limiter: RateLimiter): Promise<number> {
  const started = performance.now()
  for (let i = 0; i < 400; i++) {
    if ((await limiter.consume(`probe${i}`)).degraded === false) break
    await sleep(10)
  }
  return performance.now() - started
}
