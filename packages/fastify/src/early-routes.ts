import type { HaltWarning, Warn } from '@halt/core'
import { warnOnce, messageOf } from '@halt/core/http'

import { sequence } from './hook.ts'
import { NO_STEPS, type RouteSteps } from './route-steps.ts'
import type { Registration } from './registration.ts'

const FIX = 'Declare routes after `await app.register(halt, …)`, or in a plugin registered after it.'

/**
 * Routes that were declared before the plugin was loaded, because `app.register(halt)` was not awaited. Fastify shows their
 * `config.halt` only with a request, so it is read at the first request of each route.
 */
export class EarlyRoutes {
  readonly #registration: Registration
  readonly #steps = new Map<unknown, RouteSteps>()

  constructor(registration: Registration) {
    this.#registration = registration
  }

  /** The steps of a route, made at its first request. */
  stepsOf(config: Readonly<Record<PropertyKey, unknown>>): RouteSteps {
    let steps = this.#steps.get(config)
    if (steps === undefined) this.#steps.set(config, (steps = this.#read(config)))
    return steps
  }

  #read({ halt, method, url }: Readonly<Record<PropertyKey, unknown>>): RouteSteps {
    const { guard, isGlobal, limiter } = this.#registration
    const late = `${String(method)} ${String(url)} was declared before the plugin was loaded`
    const warning = (message: string): HaltWarning => ({
      code: 'HALT_W_ROUTE_BEFORE_PLUGIN',
      message,
      fix: FIX,
    })
    try {
      const { global, own } = this.#registration.stepsFor(halt)
      limiter.warn(warning(`${late}; its config.halt is read at the first request.`))
      // It is too late to add a hook to the route, so both steps run in the hook of the registration.
      return { ...NO_STEPS, global: sequence(global, own) }
    } catch (error) {
      const left = isGlobal ? 'only the global limit applies' : 'it is not limited'
      const message = messageOf(error)
      // Each route may have a different mistake, and limiter.warn reports a code only once.
      const warn = warnOnce(limiter.options.warn ?? print)
      warn(warning(`${late}, and its config.halt is wrong, so ${left}: ${message}`))
      return { ...NO_STEPS, global: isGlobal ? guard : undefined }
    }
  }
}

const print: Warn = ({ code, message, fix }) =>
  process.emitWarning(`${message} ${fix}`, { type: 'HaltWarning', code })
