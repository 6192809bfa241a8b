import type { TurnClock } from '../base/turn-clock.ts'
import type { Controller } from '../limit/contract.ts'
import { RouteRows } from '../limit/route-rows.ts'
import { type Counts, NOTHING, plus } from './counts.ts'
import { GuardedLimit, type Tell } from './guarded-limit.ts'

/** The limits of a shedder: one for the process, or one for each route. */
export class Limits {
  readonly #clock: TurnClock
  readonly #makeController: () => Controller
  readonly #isEnforced: boolean
  readonly #tell: Tell
  readonly #whole: GuardedLimit | undefined
  readonly #routes: RouteRows<GuardedLimit>
  #former: Counts = NOTHING

  constructor(
    clock: TurnClock,
    makeController: () => Controller,
    { isEnforced, isPerRoute }: { readonly isEnforced: boolean; readonly isPerRoute: boolean },
    tell: Tell,
  ) {
    this.#clock = clock
    this.#makeController = makeController
    this.#isEnforced = isEnforced
    this.#tell = tell
    this.#whole = isPerRoute ? undefined : this.#make(undefined)
    this.#routes = new RouteRows(
      route => this.#make(route),
      ({ governor }) => governor,
      // It also tells listeners that its shedding is over.
      limit => void (this.#former = plus(limit.state(), this.#former)),
    )
  }

  /** The limit that holds for a route. */
  of(route: string): GuardedLimit {
    return this.#whole ?? this.#routes.of(route, this.#clock.now)
  }

  all(): readonly GuardedLimit[] {
    return this.#whole === undefined ? this.#routes.all().map(([, limit]) => limit) : [this.#whole]
  }

  /** What limits have counted whose rows went to other routes. Without it the counts of the whole would go back. */
  get former(): Counts {
    return this.#former
  }

  #make(route: string | undefined): GuardedLimit {
    return new GuardedLimit(this.#clock, this.#makeController(), this.#isEnforced, route, this.#tell)
  }
}
