import type { TurnClock } from '../base/turn-clock.ts'
import type { Controller } from '../control/controller.ts'
import { type Counts, NOTHING, plus } from './counts.ts'
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

  /** What limits have counted whose rows went to other routes. Without it the counts of the whole would go back. */
  get former(): Counts {
    return this.#former
  }

  #add(route: string): GuardedLimit {
    if (this.#routes.size >= MOST && route !== OTHERS && !this.#makeRoom())
      return this.#routes.get(OTHERS) ?? this.#add(OTHERS)
    const made = this.#make(route)
    this.#routes.set(route, made)
    return made
  }

  /** Forgets a limit that is of no use. False if there is none. */
  #makeRoom(): boolean {
    for (const [route, limit] of this.#routes) {
      const { askedAt, governor } = limit
      // Paths that no handler knows have learned nothing. So nobody can fill the rows with invented ones.
      const isOfUse = governor.hasLearned && this.#clock.now - askedAt <= STALE_MS
      if (isOfUse || governor.inFlight > 0) continue
      this.#routes.delete(route)
      // It also tells listeners that its shedding is over.
      this.#former = plus(limit.state(), this.#former)
      return true
    }
    return false
  }

  #make(route: string | undefined): GuardedLimit {
    return new GuardedLimit(this.#clock, this.#makeController(), this.#isEnforced, route, this.#tell)
  }
}
