import { type Warn, warnOnce } from '@halt/core'

import { type Loop, presentLoop } from './base/loop.ts'
import { TurnClock } from './base/turn-clock.ts'
import type { Bounds, Controller } from './limit/contract.ts'
import { StandingQueue } from './limit/standing-queue.ts'
import { fastifyOf, type FastifyPlugin } from './http/fastify.ts'
import { fetchOf, type WrapFetch } from './http/fetch.ts'
import { honoOf, type HonoMiddleware } from './http/hono.ts'
import { expressOf, type Middleware, NodeDoor, type WrapListener } from './http/node.ts'
import { Refusals } from './http/refusals.ts'
import { Doorkeeper } from './shedder/doorkeeper.ts'
import { explain } from './shedder/explain.ts'
import { Limits } from './shedder/limits.ts'
import { Listeners } from './shedder/listeners.ts'
import { type NodeRequest, readOptions, type ShedderOptions } from './shedder/options.ts'
import type { ShedderEvents, ShedderState } from './shedder/state.ts'
import { sumUp } from './shedder/sum-up.ts'

/** Refuses requests that this process cannot answer in time, the least important first. */
export interface LoadShedder {
  readonly name: string
  /** Guards a listener of Node's servers, HTTP/1 and HTTP/2, before any framework: `createServer(shedder.wrap(app))`. */
  readonly wrap: WrapListener
  /** Middleware for Express, Connect and Nest: `app.use(shedder.express)`. */
  readonly express: Middleware
  /** A plugin: `app.register(shedder.fastify)`, or with `{ hook: "preHandler" }` after authentication. */
  readonly fastify: FastifyPlugin
  /** Middleware: `app.use(shedder.hono)`. */
  readonly hono: HonoMiddleware
  /** Guards a Fetch handler: `shedder.fetch(handler)`. */
  readonly fetch: WrapFetch
  /** What it does now. */
  readonly state: ShedderState
  /** What it does now, in words. */
  explain(): string
  /** Calls back at each event. Returns a function that ends it. */
  on<E extends keyof ShedderEvents>(event: E, listener: (detail: ShedderEvents[E]) => void): () => void
}

/** The parts that tests replace. */
export interface ShedderParts {
  readonly loop: Loop | undefined
  readonly controller: (bounds: Bounds) => Controller
}

/**
 * Makes a load shedder: a limit on the requests in flight of this process that finds its number by itself, from how long requests
 * wait and take.
 *
 * @throws HaltError `HALT_E_SHEDDER_FIELD`, `HALT_E_UNKNOWN_FIELD`, `HALT_E_OPTION`, `HALT_E_EXEMPTION`
 * @example
 * const shedder = loadShedder({ priority: request => (request.url === '/checkout' ? 'critical' : 'normal') })
 * createServer(shedder.wrap(app)).listen(3000)
 */
export function loadShedder<R = NodeRequest>(options: ShedderOptions<R> = {}): LoadShedder {
  return makeShedder(options, { loop: presentLoop, controller: bounds => new StandingQueue(bounds) })
}

/** {@link loadShedder} on a loop and with a controller of its own. */
export function makeShedder<R>(options: ShedderOptions<R>, { loop, controller }: ShedderParts): LoadShedder {
  const settings = readOptions(options)
  const { name, mode, errorFormat } = settings
  const warn = warnOnce(settings.warn)
  if (loop === undefined && mode !== 'off') warnOfBlindness(warn)
  const clock = loop === undefined || mode === 'off' ? undefined : new TurnClock(loop)
  const listeners = new Listeners(warn)
  const limits = clock && new Limits(clock, () => controller(settings), mode === 'enforce', listeners.tell)
  const doorkeeper = new Doorkeeper(settings, warn, clock, limits)
  const refusals = new Refusals(errorFormat)
  const door = new NodeDoor(doorkeeper, refusals)
  const state = (): ShedderState => sumUp(name, clock === undefined ? 'off' : mode, limits)
  return Object.freeze({
    name,
    wrap: door.wrap,
    express: expressOf(door),
    fastify: fastifyOf(doorkeeper, refusals, door),
    hono: honoOf(doorkeeper, refusals, door),
    fetch: fetchOf(doorkeeper, refusals, door),
    get state() {
      return state()
    },
    explain: () => explain(state()),
    on: listeners.on,
  })
}

function warnOfBlindness(warn: Warn): void {
  warn({
    code: 'HALT_W_LOOP_UNSEEN',
    message: 'This runtime does not show its event loop, so the load shedder lets all requests pass.',
    fix: 'Run it on Node, Bun or Deno. On Workers the platform sheds load itself; there use { mode: "off" }.',
  })
}
