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
import {
  type Connection,
  type ConnectionOptions,
  openConnection,
  type Script,
} from '../../src/connection/index.ts'
import { slotOf } from '../../src/keys.ts'
import type { Maker, User, Wish } from './makers.ts'

// Each server has a listener for the end of the process.
process.setMaxListeners(100)

/** How soon what is back is to be used again, milliseconds of a {@link Stopwatch}: on an idle machine it takes a tenth of it. */
export const SOON_MS = 2_000

/** Measures time in which this process was not kept from its work: a beat that is late counts as one that is not. */
export class Stopwatch {
  #ms = 0
  #last = performance.now()
  readonly #timer = setInterval(() => this.#beat(), BEAT_MS)

  stop(): number {
    clearInterval(this.#timer)
    this.#beat()
    return this.#ms
  }

  #beat(): void {
    const now = performance.now()
    this.#ms += Math.min(now - this.#last, 2 * BEAT_MS)
    this.#last = now
  }
}

const BEAT_MS = 5

/** What a test opens, ended with it. */
export class Scene {
  readonly #ends: (() => unknown)[] = []

  /** Ends something with the test. */
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

  /** A user's client, not connected. */
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

  /** A client of each kind, connected, and a link to each. */
  async cast(makers: readonly Maker[], port: number, wish?: Wish): Promise<Actor[]> {
    return Promise.all(
      makers.map(async maker => {
        let user = this.user(maker, port, wish)
        // On a busy machine the library's own timers may give up: then the user makes another client.
        for (let attempt = 1; attempt < 5 && !(await succeeds(user.connect())); attempt++) {
          user.kill()
          user = this.user(maker, port, wish)
        }
        const connection = this.connection(user.client)
        await until('a connection', () => connection.ready)
        return { name: maker.name, maker, user, connection }
      }),
    )
  }
}

/** A user with a client, and the link made of it. */
export interface Actor {
  readonly name: string
  readonly maker: Maker
  readonly user: User
  readonly connection: Connection
}

/** `it` with a {@link Scene} of its own. */
export const it: TestAPI<{ scene: Scene }> = base.extend<{ scene: Scene }>({
  // Vitest reads from the pattern which fixtures are wanted.
  // oxlint-disable-next-line no-empty-pattern
  scene: async ({}, use) => {
    const scene = new Scene()
    await use(scene)
    await scene.end()
  },
})

/** What each actor comes to, by name. */
export async function each<T>(
  actors: readonly Actor[],
  what: (actor: Actor) => T | Promise<T>,
): Promise<Record<string, T>> {
  return Object.fromEntries(
    await Promise.all(actors.map(async actor => [actor.name, await what(actor)] as const)),
  )
}

/** The same for each actor. */
export function all<T>(actors: readonly Actor[], value: T): Record<string, T> {
  return Object.fromEntries(actors.map(({ name }) => [name, value]))
}

/** Makes a script of a text. */
export function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** Adds ARGV[1] to KEYS[1]; a new text each time, so that no server knows it. */
export function counting(): Script {
  return script(`-- ${Math.random()}\nreturn { redis.call('INCRBY', KEYS[1], ARGV[1]), tostring(#KEYS) }`)
}

/** A key that no other test has, served by one of three masters if need be. */
export function freshKey(master?: number): string {
  for (;;) {
    const key = `{${Math.random().toString(36).slice(2)}}:k`
    if (master === undefined || Math.floor((slotOf(key) * 3) / 16_384) === master) return key
  }
}

/** Waits until something holds; returns how long that took, milliseconds of a {@link Stopwatch}. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 30_000,
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

/** Waits until a link runs scripts; returns how long that took, milliseconds. */
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

/** What a promise is rejected with. */
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
