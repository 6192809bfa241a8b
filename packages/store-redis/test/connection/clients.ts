import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import * as redis6 from 'redis'
import * as redis5 from 'redis5'
import { expect, onTestFinished } from 'vitest'

import { type Link, type LinkOptions, openLink, type Script } from '../../src/connection/index.ts'

/** What a test may want of a client. */
export interface Wish {
  readonly username?: string
  readonly password?: string
  readonly keyPrefix?: string
}

/** A user's client of some library and version, and how its user ends it. */
export interface Made {
  readonly client: any
  readonly connect: () => Promise<unknown>
  /** As the library's README ends it. */
  readonly quit: () => Promise<unknown>
  /** Ends it whatever its state; never throws. */
  readonly kill: () => void
}

export interface Maker {
  readonly name: string
  /** Whether the library puts `keyPrefix` before keys. */
  readonly prefixes: boolean
  readonly make: (port: number, wish?: Wish) => Made
}

const quietly = (action: () => unknown): void => {
  try {
    Promise.resolve(action()).catch(() => {})
  } catch {
    // Closed already.
  }
}

function ioredis(Redis: typeof Redis6): Maker['make'] {
  return (port, wish = {}) => {
    const client = new Redis({ port, lazyConnect: true, ...wish })
    client.on('error', () => {})
    return {
      client,
      connect: () => client.connect(),
      quit: () => client.quit(),
      kill: () => client.disconnect(),
    }
  }
}

function nodeRedis(redis: typeof redis6): Maker['make'] {
  return (port, wish = {}) => {
    const client = redis.createClient({ socket: { port, host: '127.0.0.1' }, ...wish })
    client.on('error', () => {})
    return {
      client,
      connect: () => client.connect(),
      quit: () => client.close(),
      kill: () => quietly(() => client.destroy()),
    }
  }
}

function pool(redis: typeof redis6): Maker['make'] {
  return (port, wish = {}) => {
    const client = redis.createClientPool({ socket: { port, host: '127.0.0.1' }, ...wish })
    client.on('error', () => {})
    return {
      client,
      connect: () => client.connect(),
      quit: () => client.close(),
      kill: () => quietly(() => client.destroy()),
    }
  }
}

/** Clients of one server. */
export const singles: readonly Maker[] = [
  { name: 'ioredis 6', prefixes: true, make: ioredis(Redis6) },
  { name: 'ioredis 5', prefixes: true, make: ioredis(Redis5 as unknown as typeof Redis6) },
  { name: 'redis 6', prefixes: true, make: nodeRedis(redis6) },
  { name: 'redis 5', prefixes: false, make: nodeRedis(redis5 as unknown as typeof redis6) },
  { name: 'redis 6 pool', prefixes: true, make: pool(redis6) },
  { name: 'redis 5 pool', prefixes: false, make: pool(redis5 as unknown as typeof redis6) },
]

function ioredisCluster(Cluster: typeof Cluster6): Maker['make'] {
  return (port, { keyPrefix, ...redisOptions } = {}) => {
    const options = { lazyConnect: true, redisOptions, ...(keyPrefix === undefined ? {} : { keyPrefix }) }
    const client = new Cluster([{ host: '127.0.0.1', port }], options)
    client.on('error', () => {})
    return {
      client,
      connect: () => client.connect(),
      quit: () => client.quit(),
      kill: () => client.disconnect(),
    }
  }
}

function nodeRedisCluster(redis: typeof redis6): Maker['make'] {
  return (port, { keyPrefix, ...defaults } = {}) => {
    const rootNodes = [{ socket: { host: '127.0.0.1', port } }]
    const client = redis.createCluster({
      rootNodes,
      defaults,
      ...(keyPrefix === undefined ? {} : { keyPrefix }),
    })
    client.on('error', () => {})
    return {
      client,
      connect: () => client.connect(),
      quit: () => client.close(),
      kill: () => quietly(() => client.destroy()),
    }
  }
}

/** Clients of a cluster. */
export const clusters: readonly Maker[] = [
  { name: 'ioredis 6', prefixes: true, make: ioredisCluster(Cluster6) },
  { name: 'ioredis 5', prefixes: true, make: ioredisCluster(Cluster5 as unknown as typeof Cluster6) },
  { name: 'redis 6', prefixes: true, make: nodeRedisCluster(redis6) },
  { name: 'redis 5', prefixes: false, make: nodeRedisCluster(redis5 as unknown as typeof redis6) },
]

/** Makes a script of a text. */
export function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** Adds ARGV[1] to KEYS[1]; a new text each time, so that no server knows it. */
export function counting(): Script {
  return script(`-- ${Math.random()}\nreturn { redis.call('INCRBY', KEYS[1], ARGV[1]), tostring(#KEYS) }`)
}

/** A key that no other test has. */
export function freshKey(): string {
  return `{halt-${Math.random().toString(36).slice(2)}}:k`
}

/** Opens a link that ends with the test. */
export function open(client: unknown, options: Partial<LinkOptions> = {}): Link {
  const link = openLink({ client, connection: 'own', warn: () => {}, ...options })
  onTestFinished(() => link.close())
  return link
}

/** Makes a user's client that ends with the test. */
export function made(maker: Maker, port: number, wish?: Wish): Made {
  const user = maker.make(port, wish)
  onTestFinished(() => user.kill())
  return user
}

/** Waits until something holds, and returns how long that took, milliseconds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 5_000,
): Promise<number> {
  const start = performance.now()
  while (!(await holds())) {
    if (performance.now() - start > ms) throw new Error(`Waited ${ms} ms for ${what}`)
    await sleep(5)
  }
  return performance.now() - start
}

/** Waits until a link answers a command, and returns how long that took, milliseconds. */
export async function answers(link: Link, ms = 5_000): Promise<number> {
  return until(
    'an answer',
    async () => {
      const answer = await link.command(['PING']).catch(() => undefined)
      if (answer !== undefined) expect(answer).toBe('PONG')
      return answer !== undefined
    },
    ms,
  )
}

/** The port in a URL. */
export function portOf(url: string): number {
  return Number(new URL(url).port)
}
