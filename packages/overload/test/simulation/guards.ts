import type { Loop } from '../../src/base/loop.ts'
import { TurnClock } from '../../src/base/turn-clock.ts'
import type { Bounds } from '../../src/limit/contract.ts'
import { StandingQueue } from '../../src/limit/standing-queue.ts'
import { Limits } from '../../src/shedder/limits.ts'

/** Admits requests of the simulation, and refuses others. */
export interface Guard {
  /** Asks for a request. Returns a function to call once it was answered, or undefined: refused. */
  enter(rank: number, route: string, isFresh: boolean): ((failed: boolean) => void) | undefined
}

/** Makes a guard on a loop. */
export type MakeGuard = (loop: Loop) => Guard

/** The shedder, as far as the simulation uses it. */
export class Shedding implements Guard {
  readonly limits: Limits
  readonly #clock: TurnClock

  constructor(loop: Loop, bounds: Bounds, isEnforced: boolean) {
    this.#clock = new TurnClock(loop)
    this.limits = new Limits(
      this.#clock,
      () => new StandingQueue(bounds),
      isEnforced,
      () => {},
    )
  }

  enter(rank: number, route: string, isFresh: boolean): ((failed: boolean) => void) | undefined {
    this.#clock.enter()
    const permit = this.limits.enter(rank, route, isFresh)
    return permit && (failed => permit.leave(failed ? 'at-least' : 'sample'))
  }

  /** How many requests it has refused, or in shadow mode would have. */
  get refused(): number {
    return this.limits.all().reduce((sum, { governor }) => sum + governor.refused.reduce((a, b) => a + b), 0)
  }
}

/** A limit that never changes. A place is free at the end of its turn, so that it sees handlers that use the processor. */
export function fixed(limit: number): MakeGuard {
  return loop => {
    let inFlight = 0
    return {
      enter() {
        if (inFlight >= limit) return undefined
        inFlight++
        return () => loop.afterTurn(() => inFlight--)
      },
    }
  }
}
