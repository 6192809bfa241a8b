import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { it as base, type TestAPI } from 'vitest'

import {
  type ClusterOptions,
  type RunningCluster,
  type RunningServer,
  type ServerOptions,
  startCluster,
  startRedis,
} from '../../../../tools/servers.ts'
import { Stopwatch } from '../../../../tools/stopwatch.ts'
import {
  type Connection,
  type ConnectionOptions,
  openConnection,
  type Script,
} from '../../src/connection/index.ts'
import { slotOf } from '../../src/keys.ts'
import type { Maker, User, Wish } from './makers.ts'

// Each server adds a listener for the end of the process.
process.setMaxListeners(100)

/** The longest until a server that is back is used, milliseconds of a {@link Stopwatch}. An idle machine needs a tenth of it. */
export const SOON_MS = 2_000

/** The servers, clients and connections of a test, which end with it. */
export class Scene {
  readonly #ends: (() => unknown)[] = []

  /** Adds a function to call when the test ends. */
  defer(end: () => unknown): void {
    this.#ends.unshift(end)
  }

  async end(): Promise<void> {
    for (const end of this.#ends) await end()
  }

  async server(options?: ServerOptions): Promise<RunningServer> {
    const server = await startRedis(options)
    this.defer(() => server.stop())
    return server
  }

  async cluster(options?: ClusterOptions): Promise<RunningCluster> {
    const cluster = await startCluster(options)
    this.defer(() => cluster.stop())
    return cluster
  }

  /** Makes a user's client, not connected. */
  user(maker: Maker, port: number, wish?: Wish): User {
    const user = maker.make(port, wish)
    this.defer(() => user.kill())
    return user
  }

  connection(client: unknown, options: Partial<ConnectionOptions> = {}): Connection {
    const connection = openConnection({ client, connection: 'own', warn: () => {}, ...options })
    this.defer(() => connection.close())
    return connection
  }

  /** Makes a connected client of each kind, and a connection from each. */
  async cast(makers: readonly Maker[], port: number, wish?: Wish): Promise<Actor[]> {
    return Promise.all(
      makers.map(async maker => {
        let user = this.user(maker, port, wish)
        // On a busy machine the library's own timers may give up. Then the user makes another client.
        for (let attempt = 1; attempt < 5 && !(await succeeds(user.connect())); attempt++) {
          user.kill()
          user = this.user(maker, port, wish)
        }
        const connection = this.connection(user.client)
        await until(`${maker.name} to connect`, () => connection.ready).catch(async (error: Error) => {
          // The connection tells why it is not open.
          const why: unknown = await connection.command(['PING']).catch((reason: unknown) => reason)
          throw new Error(`${error.message}: ${String(why)}`, { cause: why })
        })
        return { name: maker.name, maker, user, connection }
      }),
    )
  }
}

/** A user with a client, and the connection made from it. */
export interface Actor {
  readonly name: string
  readonly maker: Maker
  readonly user: User
  readonly connection: Connection
}

/** `it` with a {@link Scene} of its own. */
export const it: TestAPI<{ scene: Scene }> = base.extend<{ scene: Scene }>({
  // Vitest reads the wanted fixtures from the pattern.
  // oxlint-disable-next-line no-empty-pattern
  scene: async ({}, use) => {
    const scene = new Scene()
    await use(scene)
    await scene.end()
  },
})

/** The result of a function for each actor, by name. */
export async function each<T>(
  actors: readonly Actor[],
  what: (actor: Actor) => T | Promise<T>,
): Promise<Record<string, T>> {
  return Object.fromEntries(
    await Promise.all(actors.map(async actor => [actor.name, await what(actor)] as const)),
  )
}

/** The same value for each actor, by name. */
export function all<T>(actors: readonly Actor[], value: T): Record<string, T> {
  return Object.fromEntries(actors.map(({ name }) => [name, value]))
}

/** Makes a script from its text. */
export function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** A script that adds ARGV[1] to KEYS[1]. Its text is new each time, so that no server knows it. */
export function counting(): Script {
  return script(`-- ${Math.random()}\nreturn { redis.call('INCRBY', KEYS[1], ARGV[1]), tostring(#KEYS) }`)
}

/** A key that no other test has, optionally on one of three masters. */
export function freshKey(master?: number): string {
  for (;;) {
    const key = `{${Math.random().toString(36).slice(2)}}:k`
    if (master === undefined || masterOf(slotOf(key)) === master) return key
  }
}

// The slots of master i begin at floor(16384 i / 3), as startCluster gives them out: 0, 5461 and 10922.
function masterOf(slot: number): number {
  return Math.floor(((slot + 1) * 3 - 1) / 16_384)
}

/** Waits until a condition holds. Resolves to the time that took, milliseconds of a {@link Stopwatch}. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 60_000,
): Promise<number> {
  const watch = new Stopwatch()
  const start = performance.now()
  try {
    while (!(await holds())) {
      if (performance.now() - start > ms) throw new Error(`Waited ${ms} ms for ${what}`)
      await sleep(5)
    }
  } finally {
    watch.stop()
  }
  return watch.stop()
}

/** Waits until a connection runs scripts. Resolves to the time that took, milliseconds. */
export async function answers(connection: Connection, master?: number): Promise<number> {
  const count = counting()
  return until('an answer', () => succeeds(connection.run(count, [freshKey(master)], ['1'])))
}

/** Whether a promise resolves. */
export function succeeds(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  )
}

/** The error that a promise rejects with. */
export function failure(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    value => {
      throw new Error(`Resolved to ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}

/** The port in a URL. */
export function portOf(url: string): number {
  return Number(new URL(url).port)
}
