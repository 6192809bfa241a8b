import { type HaltWarning, type Warn, warnOnce } from '@halt/core'
import { messageOf } from '@halt/core/http'

import { inTurn } from './hook.ts'
import { OFF, type Plan } from './plan.ts'
import type { Registration } from './registration.ts'

const FIX = 'Declare routes after `await app.register(halt, …)`, or in a plugin registered after it.'

/**
 * The routes that were declared before the plugin was loaded: `app.register(halt)` without `await`. Nobody read their
 * `config.halt`, and Fastify shows it only with a request; better late than unlimited.
 */
export class EarlyRoutes {
  readonly #registration: Registration
  readonly #plans = new Map<unknown, Plan>()

  constructor(registration: Registration) {
    this.#registration = registration
  }

  /** The plan of a route, made when it is first asked. */
  planOf(config: Readonly<Record<PropertyKey, unknown>>): Plan {
    let plan = this.#plans.get(config)
    if (plan === undefined) this.#plans.set(config, (plan = this.#read(config)))
    return plan
  }

  #read({ halt, method, url }: Readonly<Record<PropertyKey, unknown>>): Plan {
    const { guard, isGlobal, limiter } = this.#registration
    const late = `${String(method)} ${String(url)} was declared before the plugin was loaded`
    const warning = (message: string): HaltWarning => ({
      code: 'HALT_W_ROUTE_BEFORE_PLUGIN',
      message,
      fix: FIX,
    })
    try {
      const { global, own } = this.#registration.plan(halt)
      limiter.warn(warning(`${late}; its config.halt is read as it is asked.`))
      // It is too late for a hook of its own: all is done in that of the registration.
      return { ...OFF, global: inTurn(global, own) }
    } catch (error) {
      const left = isGlobal ? 'only the global limit applies' : 'it is not limited'
      const message = messageOf(error)
      // Not limiter.warn, which passes each code on once: each route has a mistake of its own.
      const warn = warnOnce(limiter.options.warn ?? print)
      warn(warning(`${late}, and its config.halt is wrong, so ${left}: ${message}`))
      return { ...OFF, global: isGlobal ? guard : undefined }
    }
  }
}

const print: Warn = ({ code, message, fix }) =>
  process.emitWarning(`${message} ${fix}`, { type: 'HaltWarning', code })
