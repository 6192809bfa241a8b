import { randomUUID } from 'node:crypto'

import { ManualClock } from '@halt/core/testing'
import { inject } from 'vitest'

import { Accounts } from '../accounts.ts'
import type { Listening, Start } from '../app.ts'
import { Operator } from '../operator.ts'
import { openStore, type OpenStore, type StoreOptions } from '../store.ts'

/** The stores that apps are tested on. */
export type StoreName = 'memory' | 'Redis'

interface Running<L> {
  readonly app: L
  readonly opened: OpenStore
  readonly clock: ManualClock
  readonly operator: Operator | undefined
}

/** A running app on a store with a stopped clock, and functions that send requests to it. */
export class Bench<L extends Listening = Listening> {
  readonly token: string = randomUUID()
  readonly #start: Start<L>
  readonly #storeName: StoreName
  readonly #library: StoreOptions['library']
  #running: Running<L> | undefined

  constructor(start: Start<L>, storeName: StoreName, library: StoreOptions['library']) {
    this.#start = start
    this.#storeName = storeName
    this.#library = library
  }

  get app(): L {
    return this.#parts.app
  }

  get clock(): ManualClock {
    return this.#parts.clock
  }

  get store(): OpenStore['store'] {
    return this.#parts.opened.store
  }

  get #parts(): Running<L> {
    if (this.#running === undefined) throw new Error('The bench is not open.')
    return this.#running
  }

  async open({ operated = false }: { operated?: boolean } = {}): Promise<void> {
    const clock = new ManualClock()
    const opened = openStore({
      url: this.#storeName === 'memory' ? undefined : inject('redisUrl'),
      prefix: `test:${randomUUID()}:`,
      library: this.#library,
      clock: clock.now,
    })
    const operator = operated ? new Operator(this.token, opened.store) : undefined
    // Generous, because a busy machine is not a failure of Redis.
    const options = { store: opened.store, storeTimeout: '5s', accounts: new Accounts(), operator }
    this.#running = { app: await this.#start(options, 0), opened, clock, operator }
  }

  async close(): Promise<void> {
    const { app, opened, operator } = this.#parts
    this.#running = undefined
    operator?.close()
    await app.close()
    await opened.close()
  }

  get(path: string, user?: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.app.url + path, { headers: { ...as(user), ...headers } })
  }

  post(path: string, body: object, user?: string): Promise<Response> {
    return fetch(this.app.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...as(user) },
      body: JSON.stringify(body),
    })
  }

  /** Requests the operator's pages. */
  operate(path: string, token: string = this.token, headers: Record<string, string> = {}): Promise<Response> {
    return this.get(path, undefined, { Authorization: `Bearer ${token}`, ...headers })
  }

  async statuses(times: number, ask: () => Promise<Response>): Promise<number[]> {
    const found: number[] = []
    for (let i = 0; i < times; i++) found.push((await drained(ask())).status)
    return found
  }
}

/** A response whose body is read, so that its connection is free again. */
export async function drained(asked: Promise<Response>): Promise<Response> {
  const response = await asked
  await response.arrayBuffer()
  return response
}

/** The `RateLimit-Limit` and `-Remaining` of a response. */
export function seen({ headers }: Response): [number, number] {
  return [Number(headers.get('ratelimit-limit')), Number(headers.get('ratelimit-remaining'))]
}

function as(user: string | undefined): Record<string, string> {
  return user === undefined ? {} : { 'X-Demo-User': user }
}
