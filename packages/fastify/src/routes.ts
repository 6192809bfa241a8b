import { HaltError } from '@halt/core'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

import type { Done, Gate } from './gate.ts'
import type { Plan, Registration } from './registration.ts'

/** A Fastify hook; `preParsing` has the payload before `done`. */
export type Hook = (request: FastifyRequest, reply: FastifyReply, payloadOrDone: unknown, done?: Done) => void

type Config = Record<PropertyKey, unknown>

// Which registration has read a route's config.halt; shared by copies of the package.
const READ = Symbol.for('halt.config')

/** Makes a gate a hook for any of the steps. */
export function hookOf(gate: Pick<Gate, 'enter'>): Hook {
  return function haltHook(request, reply, payloadOrDone, done = payloadOrDone as Done) {
    gate.enter(request, reply, done)
  }
}

/** The routes of an instance: `config.halt` is compiled when a route is declared, never while it is asked. */
export class Routes {
  readonly #registration: Registration
  readonly #isInnermost: (instance: FastifyInstance) => boolean
  readonly #key = Symbol('halt.plan')
  readonly #late = new Map<unknown, Plan>()
  #hasPlans: boolean
  /** The first mistake in a route's options. */
  error: unknown

  /** @param hasEarlier whether the instance had routes before, whose options nobody read */
  constructor(
    registration: Registration,
    isInnermost: (instance: FastifyInstance) => boolean,
    hasEarlier: boolean,
  ) {
    this.#registration = registration
    this.#isInnermost = isInnermost
    this.#hasPlans = hasEarlier
  }

  /** Reads the options of a route that is being declared on an instance. */
  declare(instance: FastifyInstance, route: RouteOptions): void {
    const config = (route.config ?? {}) as Config
    const given = config['halt']
    if (given === undefined) return
    try {
      const plan = this.#read(given, instance)
      if (plan === undefined) return
      this.#hasPlans = true
      // A copy: the HEAD route that Fastify derives begins from the same object.
      route.config = { ...config, [this.#key]: plan, [READ]: true } as NonNullable<RouteOptions['config']>
      if (plan.own !== undefined) append(route, plan)
    } catch (error) {
      this.error ??= placed(error, route)
    }
  }

  /** Decides a request in the registration's hook. */
  enter(request: FastifyRequest, reply: FastifyReply, done: Done): void {
    if (!this.#hasPlans) return this.#registration.gate.enter(request, reply, done)
    const config = request.routeOptions.config as unknown as Config | undefined
    const plan = (config?.[this.#key] ?? this.#belated(config)) as Plan | undefined
    if (plan !== undefined)
      return plan.global === undefined ? done() : plan.global.enter(request, reply, done)
    if (this.#registration.isGlobal) this.#registration.gate.enter(request, reply, done)
    else done()
  }

  // Of several registrations around a route the nearest reads its policies; the others heed only false and override.
  #read(given: unknown, instance: FastifyInstance): Plan | undefined {
    if (given === false) return OFF
    if (this.#isInnermost(instance)) return this.#registration.plan(given)
    return (given as { override?: unknown } | null)?.override === true ? OFF : undefined
  }

  // Declared before the plugin was loaded (`app.register(halt)` without await): better late than unlimited.
  #belated(config: Config | undefined): Plan | undefined {
    if (config?.['halt'] === undefined || config[READ] !== undefined) return undefined
    let plan = this.#late.get(config)
    if (plan === undefined) this.#late.set(config, (plan = this.#readLate(config)))
    return plan
  }

  #readLate(config: Config): Plan {
    const { gate, isGlobal, limiter } = this.#registration
    const fallback = { ...OFF, global: isGlobal ? gate : undefined }
    if (config['halt'] === false) return OFF
    const where = `${String(config['method'])} ${String(config['url'])}`
    const fix = 'Declare routes after `await app.register(halt, …)`, or in a plugin registered after it.'
    let message = `${where} was declared before the plugin was loaded; its config.halt is read as it is asked.`
    try {
      const { global, own } = this.#registration.plan(config['halt'])
      const both = {
        enter: (request, reply, done) => inTurn(global, own, request, reply, done),
      } satisfies Pick<Gate, 'enter'>
      return { ...OFF, global: both as Gate }
    } catch (error) {
      message = `${message} ${String(error)}`
      return fallback
    } finally {
      limiter.warn({ code: 'HALT_W_ROUTE_BEFORE_PLUGIN', message, fix })
    }
  }
}

const OFF: Plan = Object.freeze({ global: undefined, own: undefined, hook: 'onRequest' })

function append(route: RouteOptions, { hook, own }: Plan): void {
  const hooks = route as Partial<Record<Plan['hook'], unknown>>
  // After the route's own: one that finds the user comes first.
  hooks[hook] = [...[hooks[hook] ?? []].flat(), hookOf(own as Gate)]
}

function inTurn(
  first: Gate | undefined,
  second: Gate | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  const next: Done = error =>
    error !== undefined || second === undefined ? done(error) : second.enter(request, reply, done)
  if (first === undefined) next()
  else first.enter(request, reply, next)
}

function placed(error: unknown, { method, url }: RouteOptions): unknown {
  if (error instanceof HaltError) error.message = `${[method].flat().join(', ')} ${url}: ${error.message}`
  return error
}
