import type { TurnClock } from '../base/turn-clock.ts'
import type { Controller, WindowSummary } from '../limit/contract.ts'
import { Governor } from '../limit/governor.ts'
import { LoopGuard } from '../limit/loop-guard.ts'
import type { Permit } from '../limit/permit.ts'
import { RouteRows } from '../limit/route-rows.ts'
import { StandingQueue } from '../limit/standing-queue.ts'
import { TierFit } from '../limit/tier-fit.ts'
import { type Counts, NOTHING, plus } from './counts.ts'
import { GuardedLimit, type Shared, type Tell } from './guarded-limit.ts'

/** The limits of a shedder: one for the loop, one for each route, and one that the routes share in which a queue stands. */
export class Limits {
  readonly #clock: TurnClock
  readonly #makeController: () => Controller
  readonly #isEnforced: boolean
  readonly #tell: Tell
  readonly #fit: TierFit
  readonly #guard: LoopGuard
  readonly #routes: RouteRows<GuardedLimit>
  /** The limit of the routes in which a queue stands. They may wait for the same thing, so the others would undo a cut of one. */
  #shared: Shared | undefined
  #former: Counts = NOTHING

  constructor(clock: TurnClock, makeController: () => Controller, isEnforced: boolean, tell: Tell) {
    this.#clock = clock
    this.#makeController = makeController
    this.#isEnforced = isEnforced
    this.#tell = tell
    this.#fit = new TierFit(clock.read())
    this.#guard = new LoopGuard(this.#fit, isEnforced)
    clock.opened = (now, idleMs, endedAt) => this.#guard.open(now, idleMs, endedAt)
    this.#routes = new RouteRows(
      route => this.#make(route),
      limit => this.#forget(limit),
    )
  }

  /** Asks for a place. Call `clock.enter()` before. Undefined: refused. @param isFirst whether it is the first of its connection */
  enter(rank: number, route: string, isFirst: boolean): Permit | undefined {
    const { now } = this.#clock
    const limit = this.#routes.of(route, now)
    this.#fit.arrive(rank, now)
    if (!this.#guard.admits(now, rank, limit.governor.use, isFirst)) return limit.refuse(rank)
    const shared = this.#shared
    if (shared !== undefined && shared.governor.isCalm(now)) this.#part(shared)
    const permit = limit.enter(rank)
    if (permit !== undefined) this.#guard.runs(now, limit.governor.use)
    return permit
  }

  all(): readonly GuardedLimit[] {
    return this.#routes.all()
  }

  /** The counts of limits that have lost their rows, so that the sums never fall. */
  get former(): Counts {
    return this.#former
  }

  /** How many requests a round of the loop may admit. Undefined: any number. */
  get perRound(): number | undefined {
    const { cap } = this.#guard
    return cap === Number.POSITIVE_INFINITY ? undefined : Math.round(cap * 10) / 10
  }

  #forget(limit: GuardedLimit): void {
    limit.shared?.limits.delete(limit)
    // Its state also tells listeners that its shedding is over.
    this.#former = plus(limit.state(), this.#former)
  }

  #make(route: string): GuardedLimit {
    const controller = this.#makeController()
    const limit = new GuardedLimit(this.#clock, controller, this.#isEnforced, route, this.#tell, this.#fit)
    if (controller instanceof StandingQueue && this.#isEnforced)
      controller.elsewhere = {
        isShared: () => this.#shared !== undefined,
        join: (window, share) => this.#join(limit, controller, window, share),
      }
    return limit
  }

  #join(limit: GuardedLimit, own: StandingQueue, window: WindowSummary, share: number): void {
    if (limit.shared !== undefined) return
    const { controller, governor, limits } = (this.#shared ??= this.#share())
    limits.set(limit, own)
    limit.shared = this.#shared
    controller.admit(window, own.finding.baselines, share)
    limit.governor.handOver(governor, limit.route)
  }

  #share(): Shared {
    const controller = this.#makeController() as StandingQueue
    const limits: Shared['limits'] = new Map()
    const governor = new Governor(this.#clock, controller, this.#fit, true, (window, isRebaselined) => {
      for (const limit of limits.keys()) limit.note(window, controller.finding, isRebaselined)
    })
    return { controller, governor, limits }
  }

  #part({ controller, governor, limits }: Shared): void {
    this.#shared = undefined
    for (const [limit, own] of limits) {
      limit.shared = undefined
      own.settle(limit.route, controller)
      governor.handOver(limit.governor, limit.route)
    }
  }
}
