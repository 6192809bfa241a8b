import type { TurnClock } from '../base/turn-clock.ts'
import type { Controller } from './contract.ts'
import { Governor, type Judged } from './governor.ts'
import type { Permit } from './permit.ts'

/**
 * Counts the requests in flight of the whole process, and within it those of the routes that the controller judges apart: routes
 * whose queue is their own must not take the places of the others.
 */
export class RoutedGovernor {
  /** The whole. It counts what the limits of routes refuse, too. */
  readonly whole: Governor
  readonly #clock: TurnClock
  #apart:
    | { readonly controller: Controller; readonly governor: Governor; readonly routes: Set<string> }
    | undefined

  constructor(clock: TurnClock, controller: Controller, isEnforced = true, judged?: Judged) {
    this.whole = new Governor(clock, controller, isEnforced, judged)
    this.#clock = clock
  }

  /** Asks for a place. Call `clock.enter()` before. Undefined: refused. */
  enter(rank: number, route: string): Permit | undefined {
    const { apart } = this.whole.controller
    const controller = apart?.controller
    if (controller === undefined || !apart!.routes.has(route)) return this.whole.enter(rank, route)
    const own = this.#governorOf(controller, route).enter(rank, route)
    if (own === undefined) {
      this.whole.noteRefusal(rank)
      return undefined
    }
    const permit = this.whole.enter(rank, route)
    if (permit === undefined) own.leave('drop')
    else permit.within(own)
    return permit
  }

  /** The governor of the routes apart, which counts a route from now on. */
  #governorOf(controller: Controller, route: string): Governor {
    if (this.#apart?.controller !== controller)
      this.#apart = {
        controller,
        governor: new Governor(this.#clock, controller, true, undefined, this.whole),
        routes: new Set(),
      }
    const { governor, routes } = this.#apart
    if (!routes.has(route)) governor.adopt(route, this.whole)
    routes.add(route)
    return governor
  }
}
