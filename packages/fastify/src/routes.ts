import { HaltError } from '@halt/core'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

import { EarlyRoutes } from './early-routes.ts'
import type { Done, Step } from './request-guard.ts'
import { hookOf } from './hook.ts'
import { NO_STEPS, type RouteSteps } from './route-steps.ts'
import type { Registration } from './registration.ts'

type Config = Readonly<Record<PropertyKey, unknown>>

// Notes on a route that its config.halt was read; shared by copies of the package.
const READ = Symbol.for('halt.config')

/** The routes of an instance: `config.halt` is compiled when a route is declared, never while it is asked. */
export class Routes implements Step {
  readonly #registration: Registration
  readonly #isNearest: (instance: FastifyInstance) => boolean
  readonly #earlyRoutes: EarlyRoutes
  readonly #key = Symbol('halt.steps')
  #hasSteps: boolean
  /** The first mistake in a route's options. */
  error: unknown

  /**
   * @param isNearest whether the registration is the nearest to routes of an instance
   * @param hasEarlier whether there are routes whose options nobody read
   */
  constructor(
    registration: Registration,
    isNearest: (instance: FastifyInstance) => boolean,
    hasEarlier: boolean,
  ) {
    this.#registration = registration
    this.#isNearest = isNearest
    this.#earlyRoutes = new EarlyRoutes(registration)
    this.#hasSteps = hasEarlier
  }

  /** Reads the options of a route that is being declared on an instance. */
  declare(instance: FastifyInstance, route: RouteOptions): void {
    const config = (route.config ?? {}) as Config
    const given = config['halt']
    if (given === undefined) return
    try {
      const steps = this.#read(given, instance)
      if (steps === undefined) return
      this.#hasSteps = true
      // A copy: the HEAD route that Fastify derives begins from the same object.
      route.config = { ...config, [this.#key]: steps, [READ]: true } as NonNullable<RouteOptions['config']>
      if (steps.own !== undefined) append(route, steps.hook, steps.own)
    } catch (error) {
      this.error ??= withRouteName(error, route)
    }
  }

  /** Decides a request in the registration's hook. */
  enter(request: FastifyRequest, reply: FastifyReply, done: Done): void {
    const { guard, isGlobal } = this.#registration
    const steps = this.#hasSteps ? this.#stepsOf(request.routeOptions.config as unknown as Config) : undefined
    const step = steps === undefined ? (isGlobal ? guard : undefined) : steps.global
    if (step === undefined) done()
    else step.enter(request, reply, done)
  }

  #stepsOf(config: Config | undefined): RouteSteps | undefined {
    const given = config?.['halt']
    if (config === undefined || given === undefined) return undefined
    if (given === false) return NO_STEPS
    return config[READ] === undefined
      ? this.#earlyRoutes.stepsOf(config)
      : (config[this.#key] as RouteSteps | undefined)
  }

  // Of several registrations around a route the nearest reads its policies; the others heed only false and override.
  #read(given: unknown, instance: FastifyInstance): RouteSteps | undefined {
    if (given === false) return NO_STEPS
    if (this.#isNearest(instance)) return this.#registration.stepsFor(given)
    return (given as { override?: unknown } | null)?.override === true ? NO_STEPS : undefined
  }
}

function append(route: RouteOptions, hook: RouteSteps['hook'], step: Step): void {
  const hooks = route as Partial<Record<RouteSteps['hook'], unknown>>
  // After the route's own: one that finds the user comes first.
  hooks[hook] = [...[hooks[hook] ?? []].flat(), hookOf(step)]
}

function withRouteName(error: unknown, { method, url }: RouteOptions): unknown {
  if (error instanceof HaltError) error.message = `${[method].flat().join(', ')} ${url}: ${error.message}`
  return error
}
