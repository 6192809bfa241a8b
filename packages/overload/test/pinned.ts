import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { type Loop, loopOf } from '../src/base/loop.ts'
import type { Controller } from '../src/limit/contract.ts'
import { type LoadShedder, makeShedder } from '../src/load-shedder.ts'
import type { ShedderOptions } from '../src/shedder/options.ts'

/** A controller whose limit never changes. */
export function pinned(limit: number): Controller {
  return { limit, cuts: 0, finding: { baselines: new Map(), rebaselines: 0 }, judge() {} }
}

/** The loop of this process, as if it had been idle in between, however busy the machine is. */
const roomyLoop: Loop = { ...loopOf()!, idle: () => performance.now() }

/** A shedder that admits so many requests at once, as all are of one route. */
export function shedderOf<R>(
  limit: number,
  options: ShedderOptions<R> = {},
  loop: Loop | undefined = roomyLoop,
): LoadShedder {
  return makeShedder({ route: () => 'all', ...options }, { loop, controller: () => pinned(limit) })
}

/** The loop of this process with a clock that is moved by hand. */
export function skippingLoop(): { readonly loop: Loop; skip(ms: number): void } {
  let time = 0
  return { loop: { ...loopOf()!, now: () => time, idle: () => time }, skip: ms => void (time += ms) }
}

// As they were before a test faked them.
const { setImmediate: soon, setTimeout: later } = globalThis

/** Resolves once something is true. It looks at every turn of the loop at first, and then rests: a place may stay taken for a second. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++)
    await new Promise<void>(resolve => void (turns < 50 ? soon(resolve) : later(resolve, 2)))
}

/** A server on a free port. */
export async function serve(listener: RequestListener, server: Server = createServer()): Promise<TestServer> {
  server.on('request', listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return {
    port,
    url,
    server,
    get(path = '/', init = {}) {
      const answer = fetch(`${url}${path}`, init)
      // A test may end while a request of it waits.
      answer.catch(() => undefined)
      return answer
    },
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

export interface TestServer {
  readonly port: number
  readonly url: string
  readonly server: Server
  get(path?: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

/** Requests that wait in a handler until they are let go. */
export class Waiting {
  readonly #waiting: (() => void)[] = []

  get count(): number {
    return this.#waiting.length
  }

  wait(): Promise<void> {
    return new Promise(resolve => void this.#waiting.push(resolve))
  }

  letGo(): void {
    for (const go of this.#waiting.splice(0)) go()
  }
}
