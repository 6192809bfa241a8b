import type { Warn } from '@halt/core'
import { describe, isStrayPromise, messageOf } from '@halt/core/http'

import { exemptionOf, routeOf } from '../base/paths.ts'
import { rankOf } from '../base/tiers.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { Permit } from '../limit/permit.ts'
import type { Limits } from './limits.ts'
import type { ShedderSettings } from './options.ts'

/** The request passes, and is not counted. */
export const UNCOUNTED = 'uncounted'
/** The request is refused. */
export const REFUSED = 'refused'

/** What the doorkeeper says of a request. */
export type Entry = Permit | typeof UNCOUNTED | typeof REFUSED

const NORMAL = 1
/** On a connection that has asked before. */
const ASKED: unique symbol = Symbol('halt.asked')

/** A connection of Node's servers, HTTP/1 or HTTP/2. */
export interface Connection {
  [ASKED]?: true
}

/** Decides whether a request may be handled. All servers and frameworks ask it. */
export class Doorkeeper {
  readonly #clock: TurnClock | undefined
  readonly #limits: Limits | undefined
  readonly #settings: ShedderSettings<never>
  readonly #warn: Warn
  readonly #isExempt: (method: string | undefined, target: string) => boolean
  readonly #rank: number | undefined

  /** @param limits undefined: everything passes */
  constructor(
    settings: ShedderSettings<never>,
    warn: Warn,
    clock: TurnClock | undefined,
    limits: Limits | undefined,
  ) {
    this.#settings = settings
    this.#warn = warn
    this.#clock = clock
    this.#limits = limits
    this.#isExempt = exemptionOf(settings.exemptions, settings.healthChecks)
    this.#rank = typeof settings.priority === 'function' ? undefined : rankOf(settings.priority)
  }

  /**
   * Asks for a request.
   *
   * @param request what the functions of the application get
   * @param target the target of the request line, such as `/users/7?full=1`
   * @param matched the route, where the framework has matched one
   * @param connection what it came on, where that is known
   */
  ask(
    request: unknown,
    method: string | undefined,
    target: string,
    matched?: string,
    connection?: Connection,
  ): Entry {
    if (this.#limits === undefined || this.#isExempt(method, target)) return UNCOUNTED
    // The functions of the application run before the clock is read, so that their time is not taken for the handler's.
    const rank = this.#rank ?? this.#rankOf(request)
    const { route } = this.#settings
    const name =
      (route === undefined ? matched : this.#routeOf(route as (request: unknown) => unknown, request)) ??
      routeOf(method, target)
    this.#clock!.enter()
    const isFirst = connection !== undefined && connection[ASKED] === undefined
    if (isFirst) connection[ASKED] = true
    return this.#limits.enter(rank, name, isFirst) ?? REFUSED
  }

  #rankOf(request: unknown): number {
    try {
      const said = (this.#settings.priority as (request: unknown) => unknown)(request)
      const rank = rankOf(said)
      if (rank !== undefined) return rank
      isStrayPromise(said)
      this.#warnOf(
        'priority',
        `returned ${describe(said)}`,
        'Return "critical", "normal" or "batch", at once.',
      )
    } catch (error) {
      this.#warnOf('priority', `failed: ${messageOf(error)}`, 'Such a request is normal.')
    }
    return NORMAL
  }

  #routeOf(route: (request: unknown) => unknown, request: unknown): string | undefined {
    try {
      const said = route(request)
      if (typeof said === 'string') return said
      isStrayPromise(said)
      this.#warnOf('route', `returned ${describe(said)}`, 'Return the name of the route, at once.')
    } catch (error) {
      this.#warnOf('route', `failed: ${messageOf(error)}`, 'Such a request is named by its path.')
    }
    return undefined
  }

  #warnOf(name: string, what: string, fix: string): void {
    this.#warn({ code: 'HALT_W_SHEDDER_CALLBACK', message: `${name} of loadShedder ${what}.`, fix })
  }
}
