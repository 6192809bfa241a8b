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

// Routes have limits of their own again once the limit that they share has refused nothing for so long.
const CALM_AFTER_MS = 2000

/** The limits of a shedder: one for the loop, one for each route, and one that the routes share in which a queue stands. */
export class Limits {
  readonly #clock: TurnClock
  readonly #makeController: () => Controller
  readonly #isEnforced: boolean
  readonly #tell: Tell
  readonly #fit: TierFit
  readonly #guard: LoopGuard
  readonly #routes: RouteRows<GuardedLimit>
  /** Such routes may wait for the same thing, and each cut of one would be undone by the others. */
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
      // It also tells listeners that its shedding is over.
      limit => void (this.#former = plus(limit.state(), this.#former)),
    )
  }

  /** Asks for a place. Call `clock.enter()` before. Undefined: refused. @param isFirst whether it is the first of its connection */
  enter(rank: number, route: string, isFirst: boolean): Permit | undefined {
    const { now } = this.#clock
    const limit = this.#routes.of(route, now)
    this.#fit.arrive(rank, now)
    if (!this.#guard.admits(now, rank, limit.governor.use, isFirst)) return limit.refuse(rank)
    const shared = this.#shared
    if (shared !== undefined && now - shared.governor.refusedAt > CALM_AFTER_MS) this.#part(shared)
    return limit.enter(rank)
  }

  all(): readonly GuardedLimit[] {
    return this.#routes.all()
  }

  /** What limits have counted whose rows went to other routes. Without it the counts of the whole would go back. */
  get former(): Counts {
    return this.#former
  }

  /** How many requests a round of the loop may admit. Undefined: any number. */
  get perRound(): number | undefined {
    const { cap } = this.#guard
    return cap === Number.POSITIVE_INFINITY ? undefined : Math.round(cap * 10) / 10
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
