import { type HaltWarning, type Warn, warnOnce } from '@halt/core'
import { messageOf } from '@halt/core/http'

import { sequence } from './hook.ts'
import { NO_STEPS, type RouteSteps } from './route-steps.ts'
import type { Registration } from './registration.ts'

const FIX = 'Declare routes after `await app.register(halt, …)`, or in a plugin registered after it.'

/**
 * The routes that were declared before the plugin was loaded: `app.register(halt)` without `await`. Nobody read their
 * `config.halt`, and Fastify shows it only with a request; better late than unlimited.
 */
export class EarlyRoutes {
  readonly #registration: Registration
  readonly #steps = new Map<unknown, RouteSteps>()

  constructor(registration: Registration) {
    this.#registration = registration
  }

  /** The plan of a route, made when it is first asked. */
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
      limiter.warn(warning(`${late}; its config.halt is read as it is asked.`))
      // It is too late for a hook of its own: all is done in that of the registration.
      return { ...NO_STEPS, global: sequence(global, own) }
    } catch (error) {
      const left = isGlobal ? 'only the global limit applies' : 'it is not limited'
      const message = messageOf(error)
      // Not limiter.warn, which passes each code on once: each route has a mistake of its own.
      const warn = warnOnce(limiter.options.warn ?? print)
      warn(warning(`${late}, and its config.halt is wrong, so ${left}: ${message}`))
      return { ...NO_STEPS, global: isGlobal ? guard : undefined }
    }
  }
}

const print: Warn = ({ code, message, fix }) =>
  process.emitWarning(`${message} ${fix}`, { type: 'HaltWarning', code })
