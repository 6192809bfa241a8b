import type { RateLimiter } from '@halt/core'

import { randomNumbers } from '../store/random-numbers.ts'
import { type Bench, pause } from './bench.ts'
import type { AdapterUnderTest, Call, Reply } from './contract.ts'
import { type Connection, rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

const SEEDS = [28, 11, 2026]
const STEPS = 40
const PLACES = 4
const PLENTY = 100
const ON_ERROR = 7
/** The ways of a cost function. A header of the request chooses one. */
const COSTS = ['1', '1', '2', '3', '4', 'throws', 'rejects', 'is late']
/** The status of an answer, by the cost of its request. All others are 200. */
const STATUSES: Readonly<Record<string, number>> = { '2': 418, '3': 422, '4': 409 }
const REFUNDED = [418, 422]

/** A request that was sent. */
interface Sent {
  readonly user: string
  readonly cost: string
  readonly connection: Connection
  isGone: boolean
}

/** Requests that come, wait and leave in any order. */
export function testHistories({ describe, it, expect, adapter }: TestFunctions): void {
  describe('a random history of requests', () => {
    it('each request of a random history is charged once, and nothing is held at the end', async bench => {
      for (const seed of SEEDS) expect(await new History(bench, adapter, seed).play()).toEqual([])
    })
  })
}

class History {
  readonly #bench: Bench
  readonly #adapter: AdapterUnderTest
  readonly #seed: number
  readonly #limiter: RateLimiter
  readonly #sent: Sent[] = []
  readonly #waiting: (() => void)[] = []
  /** How often a handler got the request of a user. */
  readonly #handled = new Map<string, number>()
  #isEnding = false
  readonly #draw: () => number

  constructor(bench: Bench, adapter: AdapterUnderTest, seed: number) {
    this.#bench = bench
    this.#adapter = adapter
    this.#seed = seed
    this.#draw = randomNumbers(seed)
    this.#limiter = bench.limiter([
      { name: 'places', algorithm: 'concurrency', limit: PLACES, ttl: 3600, keyStrategy: 'shared' },
      { name: 'rate', algorithm: 'fixed-window', limit: PLENTY, window: 36_000, keyStrategy: 'user' },
    ])
  }

  /** The promises that the adapter broke. */
  async play(): Promise<readonly string[]> {
    const options = {
      limiter: this.#limiter,
      costOnError: ON_ERROR,
      cost: (request: unknown) => costOf(this.#adapter.header(request as never, 'x-cost')),
      chargeWhen: (response: unknown) => chargesFor(this.#adapter.status(response as never)),
    }
    const client = await this.#bench.serve([options], { handle: call => this.#handle(call) })
    const connections: Connection[] = []
    for (let i = 0; i < STEPS; i++) {
      const dice = this.#draw()
      if (dice < 0.5) {
        // A server that answers in sequence would not begin what is behind a request that waits.
        const isAlone = this.#adapter.inSequence === true
        const open = isAlone ? [] : connections.filter(one => !this.#isGone(one))
        const known = this.#draw() < 0.5 ? this.#pick(open) : undefined
        const connection = known ?? client.connect()
        if (known === undefined) connections.push(connection)
        // Several at once are pipelined.
        for (let more = !isAlone && this.#draw() < 0.2 ? 3 : 1; more > 0; more--) this.#send(connection)
      } else if (dice < 0.8) this.#waiting.splice(Math.floor(this.#draw() * this.#waiting.length), 1)[0]?.()
      else if (this.#adapter.forgetsLeavers !== true) this.#leave()
      await pause(this.#draw() < 0.5 ? 0 : 2)
    }
    const wrong = await this.#end(connections)
    for (const connection of connections) connection.abort()
    return wrong
  }

  async #handle({ decision }: Call): Promise<Reply> {
    const key = decision?.verdicts.find(({ policy }) => policy === 'rate')?.key ?? ''
    const user = key.slice('user:'.length)
    this.#handled.set(user, (this.#handled.get(user) ?? 0) + 1)
    const waits = !this.#isEnding && this.#draw() < 0.6
    if (waits) await new Promise<void>(resolve => void this.#waiting.push(resolve))
    const cost = this.#sent.find(sent => sent.user === user)?.cost ?? ''
    return { status: STATUSES[cost] ?? 200, body: 'ok' }
  }

  #send(connection: Connection): void {
    const user = `${this.#seed}-${this.#sent.length}`
    const cost = this.#pick(COSTS)!
    this.#sent.push({ user, cost, connection, isGone: false })
    connection.send(rawRequest('GET', '/hello', { 'X-User': user, 'X-Cost': cost }))
  }

  /** Lets the client of a connection leave. */
  #leave(): void {
    const left = this.#pick(this.#sent.filter(({ isGone }) => !isGone))?.connection
    left?.abort()
    for (const sent of this.#sent) if (sent.connection === left) sent.isGone = true
  }

  #isGone(connection: Connection): boolean {
    return this.#sent.some(sent => sent.connection === connection && sent.isGone)
  }

  async #end(connections: readonly Connection[]): Promise<readonly string[]> {
    this.#isEnding = true
    const letGo = (): void => {
      for (const go of this.#waiting.splice(0)) go()
    }
    letGo()
    const statuses = new Map<string, number>()
    for (const connection of connections) {
      for (const sent of this.#sent)
        if (sent.connection === connection && !sent.isGone)
          statuses.set(sent.user, (await connection.receive()).status)
    }
    let wrong: readonly string[] = []
    const isRight = async (): Promise<boolean> => {
      letGo()
      return (wrong = await this.#wrong(statuses)).length === 0
    }
    await this.#bench.eventually('the charges', isRight).catch(() => undefined)
    return wrong
  }

  async #wrong(statuses: ReadonlyMap<string, number>): Promise<readonly string[]> {
    const wrong: string[] = []
    for (const { user, cost, isGone } of this.#sent) {
      const { verdicts } = await this.#limiter.peek({ user })
      const left = (name: string): number => verdicts.find(({ policy }) => policy === name)!.remaining
      if (left('places') !== PLACES) return [`${PLACES - left('places')} requests are in flight`]
      const charged = PLENTY - left('rate')
      const full = cost === 'is late' ? 1 : Number.isNaN(Number(cost)) ? ON_ERROR : Number(cost)
      const status = statuses.get(user) ?? 0
      // The client of a request that is gone may have left before or after its answer was decided.
      const may = isGone ? [0, full] : status === 429 || REFUNDED.includes(status) ? [0] : [full]
      const times = this.#handled.get(user) ?? 0
      if (!may.includes(charged)) wrong.push(`${user} got ${status} and paid ${charged} of ${full}`)
      if (times > 1 || (!isGone && (status === 429) === times > 0))
        wrong.push(`${user} got ${status} and was handled ${times} times`)
    }
    return wrong
  }

  #pick<T>(of: readonly T[]): T | undefined {
    return of[Math.floor(this.#draw() * of.length)]
  }
}

function costOf(told: string | undefined): number | Promise<number> {
  if (told === 'throws') throw new Error('no cost')
  if (told === 'rejects') return Promise.reject(new Error('no cost'))
  return told === 'is late' ? Promise.resolve(1) : Number(told)
}

function chargesFor(status: number): boolean | Promise<boolean> {
  if (status === 409) throw new Error('no answer')
  return status === 422 ? Promise.resolve(false) : status !== 418
}
