import { inTurn } from './hook.ts'
import { OFF, type Plan } from './plan.ts'
import type { Registration } from './registration.ts'

/**
 * The routes that were declared before the plugin was loaded: `app.register(halt)` without `await`. Nobody read their
 * `config.halt`; better late than unlimited.
 */
export class Belated {
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
    const { gate, isGlobal, limiter } = this.#registration
    const fix = 'Declare routes after `await app.register(halt, …)`, or in a plugin registered after it.'
    let message = `${String(method)} ${String(url)} was declared before the plugin was loaded; its config.halt is read as it is asked.`
    try {
      const { global, own } = this.#registration.plan(halt)
      // It is too late for a hook of its own: all is done in that of the registration.
      return { ...OFF, global: inTurn(global, own) }
    } catch (error) {
      message = `${message} ${String(error)}`
      return { ...OFF, global: isGlobal ? gate : undefined }
    } finally {
      limiter.warn({ code: 'HALT_W_ROUTE_BEFORE_PLUGIN', message, fix })
    }
  }
}
