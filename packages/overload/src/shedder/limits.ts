import type { TurnClock } from '../base/turn-clock.ts'
import type { Controller } from '../control/controller.ts'
import { GuardedLimit, type Tell } from './guarded-limit.ts'

/** The most routes with a limit of their own. All others share one. */
const MOST = 32
const OTHERS = 'other'
// A route that nobody has asked for so long gives its row to another one.
const STALE_MS = 60_000

/** The limits of a shedder: one for the process, or one for each route. */
export class Limits {
  readonly #clock: TurnClock
  readonly #makeController: () => Controller
  readonly #isEnforced: boolean
  readonly #tell: Tell
  readonly #whole: GuardedLimit | undefined
  readonly #routes = new Map<string, GuardedLimit>()

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
  }

  /** The limit that holds for a route. */
  of(route: string): GuardedLimit {
    if (this.#whole !== undefined) return this.#whole
    const found = this.#routes.get(route) ?? this.#add(route)
    found.askedAt = this.#clock.now
    return found
  }

  all(): readonly GuardedLimit[] {
    return this.#whole === undefined ? [...this.#routes.values()] : [this.#whole]
  }

  #add(route: string): GuardedLimit {
    if (this.#routes.size >= MOST && route !== OTHERS) {
      const stale = [...this.#routes].find(
        ([, { askedAt, governor }]) => governor.inFlight === 0 && this.#clock.now - askedAt > STALE_MS,
      )
      if (stale === undefined) return this.#routes.get(OTHERS) ?? this.#add(OTHERS)
      this.#routes.delete(stale[0])
    }
    const made = this.#make(route)
    this.#routes.set(route, made)
    return made
  }

  #make(route: string | undefined): GuardedLimit {
    return new GuardedLimit(this.#clock, this.#makeController(), this.#isEnforced, route, this.#tell)
  }
}
