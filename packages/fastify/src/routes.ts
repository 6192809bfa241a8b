import { HaltError } from '@halt/core/http'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

import { EarlyRoutes } from './early-routes.ts'
import type { Done, Step } from './request-guard.ts'
import { hookOf } from './hook.ts'
import { NO_STEPS, type RouteSteps } from './route-steps.ts'
import type { Registration } from './registration.ts'

type Config = Readonly<Record<PropertyKey, unknown>>

// Marks a route whose config.halt was read. Copies of the package share the symbol.
const READ = Symbol.for('halt.config')

/** The routes of an instance. Their `config.halt` is read when they are declared, not at a request. */
export class Routes implements Step {
  readonly #registration: Registration
  readonly #isNearest: (instance: FastifyInstance) => boolean
  readonly #earlyRoutes: EarlyRoutes
  readonly #key = Symbol('halt.steps')
  #hasSteps: boolean
  /** The first error in the options of a route. */
  error: unknown

  /**
   * @param isNearest says whether this registration is the nearest one around an instance
   * @param hasEarlier true if routes were declared before the plugin was loaded
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

  /** Reads the options of a route that an instance declares. */
  declare(instance: FastifyInstance, route: RouteOptions): void {
    const config = (route.config ?? {}) as Config
    const given = config['halt']
    if (given === undefined) return
    try {
      const steps = this.#read(given, instance)
      if (steps === undefined) return
      this.#hasSteps = true
      // Copy the config, because the HEAD route that Fastify derives starts from the same object.
      route.config = { ...config, [this.#key]: steps, [READ]: true } as NonNullable<RouteOptions['config']>
      if (steps.own !== undefined) append(route, steps.hook, steps.own)
    } catch (error) {
      this.error ??= withRouteName(error, route)
    }
  }

  /** Decides a request in the hook of the registration. */
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

  // Several registrations may surround a route. The nearest reads all options, the others only false and override.
  #read(given: unknown, instance: FastifyInstance): RouteSteps | undefined {
    if (given === false) return NO_STEPS
    if (this.#isNearest(instance)) return this.#registration.stepsFor(given)
    return (given as { override?: unknown } | null)?.override === true ? NO_STEPS : undefined
  }
}

function append(route: RouteOptions, hook: RouteSteps['hook'], step: Step): void {
  const hooks = route as Partial<Record<RouteSteps['hook'], unknown>>
  // Run after the hooks of the route, because one of them may find the user.
  hooks[hook] = [...[hooks[hook] ?? []].flat(), hookOf(step)]
}

function withRouteName(error: unknown, { method, url }: RouteOptions): unknown {
  if (error instanceof HaltError) error.message = `${[method].flat().join(', ')} ${url}: ${error.message}`
  return error
}
