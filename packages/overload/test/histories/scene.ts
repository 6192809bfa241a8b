import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { loopOf } from '../../src/base/loop.ts'
import { type LoadShedder, makeShedder } from '../../src/load-shedder.ts'
import { ACTS, type Act, Gates } from './acts.ts'
import { Http1Line } from './http1-line.ts'
import { Http2Line } from './http2-line.ts'
import type { Line, Sent } from './line.ts'
import type { Stage } from './stages.ts'
import type { Variant } from './variants.ts'

/** A request, as its client knows it. */
export interface Told {
  readonly id: number
  /** Undefined for a health check. */
  readonly name: string | undefined
  readonly act: Act
  readonly line: Line
  readonly sent: Sent
  /** Whether its body fills the buffers on the way, so that a request behind it waits until somebody reads it. */
  readonly isLarge: boolean
  bodyIsThere: boolean
  isLetGo: boolean
  /** Whether its client has left, or its handler has torn its connection. */
  isGone: boolean
  /** Whether its handler has ended. */
  isOver: boolean
}

/** A request that is to be sent. */
export interface Plan {
  readonly name: string | undefined
  readonly method: string
  readonly size: number
  /** Whether half of the body is sent later. */
  readonly isPartial: boolean
}

// Only what never happens waits so long.
const NEVER_MS = 30_000

// Other tests of this process put a clock that stands still in their place.
const nextTurn = globalThis.setImmediate
const realNow = performance.now.bind(performance)

/** Gives the loop turns until something holds. False if it never does. */
export async function settles(holds: () => boolean): Promise<boolean> {
  const end = realNow() + NEVER_MS
  while (!holds()) {
    if (realNow() > end) return false
    await turns(1)
  }
  return true
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => nextTurn(resolve))
}

/** A server behind a shedder, its clients, and what each of them knows. */
export class Scene {
  readonly shedder: LoadShedder
  readonly gates: Gates = new Gates()
  readonly lines: Line[] = []
  readonly told: Told[] = []
  /** How often a handler got a request, by its number. */
  readonly handled: Map<number, number> = new Map()
  readonly #stage: Stage
  // Node's server of HTTP/2 cannot end them itself.
  readonly #sessions: { destroy(): void }[] = []
  #time = 0
  #arrived = 0
  #isClosed = false
  #server: Server | undefined

  constructor(stage: Stage, { options, controller }: Variant) {
    this.#stage = stage
    const now = (): number => this.#time
    this.shedder = makeShedder(options, { loop: { ...loopOf()!, now, idle: now }, controller })
  }

  async open(): Promise<void> {
    const server = await this.#stage.start(this.shedder, (request, response) => {
      const [, name, number] = request.url!.split('/')
      if (name === 'health') return void response.end('well')
      const id = Number(number)
      this.handled.set(id, (this.handled.get(id) ?? 0) + 1)
      const told = this.told[id - 1]!
      void ACTS[name!]!.run(response, () => this.gates.wait(id), request).then(() => (told.isOver = true))
    })
    this.#server = server
    server.on('session', (session: { destroy(): void }) => void this.#sessions.push(session))
    server.prependListener('request', () => void this.#arrived++)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.gates.letAllGo()
    for (const line of this.lines) line.cut()
    for (const session of this.#sessions) session.destroy()
    const closed = once(this.#server!, 'close')
    this.#server!.close()
    if (!this.#stage.isHttp2) this.#server!.closeAllConnections()
    await closed
  }

  skip(ms: number): void {
    this.#time += ms
  }

  connect(): Line {
    const { port } = this.#server!.address() as AddressInfo
    const line = this.#stage.isHttp2 ? new Http2Line(port) : new Http1Line(port)
    this.lines.push(line)
    return line
  }

  send(line: Line, { name, method, size, isPartial }: Plan): Told {
    const id = this.told.length + 1
    const whole = 'x'.repeat(size)
    const half = isPartial ? size / 2 : size
    const body = size === 0 ? undefined : { first: whole.slice(0, half), rest: whole.slice(half) }
    const sent = line.send(method, name === undefined ? '/health' : `/${name}/${id}`, body)
    if (!isPartial) sent.finish()
    const told = {
      id,
      name,
      act: ACTS[name ?? 'quick']!,
      line,
      sent,
      isLarge: size > 1000,
      bodyIsThere: !isPartial,
      isLetGo: false,
      isGone: false,
      isOver: false,
    }
    this.told.push(told)
    return told
  }

  /** Resolves when the server has got all requests. */
  async arrive(): Promise<boolean> {
    const have = await settles(() => this.#arrived === this.told.length)
    await turns(3)
    return have
  }

  get live(): Told[] {
    return this.told.filter(({ isGone }) => !isGone)
  }

  /** How many requests hold a place, if no time passes. Where a client has left, the handler holds it until it ends. */
  get holding(): number {
    return this.told.filter(
      ({ id, act, isGone, isLetGo, isOver, bodyIsThere }) =>
        this.handled.has(id) &&
        act.decides !== 'at once' &&
        (isGone ? !isOver : !isLetGo || (act.reads && !bodyIsThere)),
    ).length
  }

  /** How many may hold a place besides: their handlers have ended without an answer to a client that has left. */
  get lingering(): number {
    return this.told.filter(({ act, isGone, isOver }) => isGone && isOver && act.decides !== 'at once').length
  }

  /** Lets a handler go on, now or when it waits. */
  letGo(told: Told): void {
    told.isLetGo = true
    if (told.act.decides === 'never') this.goneWith(told)
    void settles(() => this.#isClosed || told.isGone || this.gates.has(told.id)).then(() =>
      this.gates.letGo(told.id),
    )
  }

  /** Notes that a request is gone. In HTTP/1 its connection goes, too. */
  goneWith(told: Told): void {
    if (this.#stage.isHttp2) told.isGone = true
    else this.goneOn(told.line)
  }

  /** Notes that a connection and its requests are gone. */
  goneOn(line: Line): void {
    line.isOpen = false
    for (const told of this.told) if (told.line === line) told.isGone = true
  }
}
