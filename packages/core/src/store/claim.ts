import {
  type Algorithm,
  type Rule,
  type State,
  type VirtualClock,
  algorithmOf,
  blockedUntil,
  freshAt,
  withClock,
} from '../algorithms/index.ts'
import { type Demand, Mode, tells } from './contract.ts'
import { type Counters } from './counter-key.ts'
import { NONE } from './evaluation.ts'
import { fewestOf, isReserved, unitsHeld, unitsLeftToOthers } from './terms.ts'

/**
 * One demand while its group is decided: whether it passes, how long it would wait, and the change that it makes to its counter. What
 * another kind of demand does differently, its own claim overrides: {@link ShareClaim}.
 */
export class Claim {
  declare readonly demand: Demand
  /** The rule in force. */
  declare readonly rule: Rule
  declare readonly state: State
  declare readonly now: number
  /** The virtual clock that was taken out of the counter, if tenants share it. */
  declare clock: VirtualClock | undefined
  declare passes: boolean
  declare protected readonly algorithm: Algorithm

  constructor(demand: Demand, rule: Rule, state: State, now: number, clock: VirtualClock | undefined) {
    this.demand = demand
    this.rule = rule
    this.state = state
    this.now = now
    this.clock = clock
    this.passes = false
    this.algorithm = algorithmOf(rule)
  }

  /** Whether the group is refused if this demand does not pass. */
  get isEnforced(): boolean {
    return this.demand.mode !== Mode.SHADOW
  }

  /** Whether the demand passes now. */
  fits(): boolean {
    const { demand, state, now } = this
    const { cost, terms } = demand
    if (tells(demand)) return true
    if (now < blockedUntil(state)) return false
    if (terms === undefined) return this.algorithm.fits(state, now, cost, this.rule)
    // The turn of its place has come, and it was charged then.
    if (terms.place !== undefined) return true
    const { fewest, held } = this
    return (held > 0 && fewest <= held) || this.algorithm.fits(state, now, this.needed, this.rule)
  }

  /** The fewest units that the demand accepts. */
  get fewest(): number {
    return fewestOf(this.demand)
  }

  /** The units that the call of the demand holds already, which need no room. */
  protected get held(): number {
    return unitsHeld(this.demand, this.rule, this.state, this.now)
  }

  /** The units that must be left for the demand to pass, those that it leaves to others included. */
  protected get needed(): number {
    return this.fewest - this.held + unitsLeftToOthers(this.demand, this.rule)
  }

  /** The most units that the demand can be granted. */
  get most(): number {
    const { held, demand, left } = this
    return Math.min(demand.cost, Math.max(held, left + held - unitsLeftToOthers(demand, this.rule)))
  }

  /** The units that the counter has left. */
  protected get left(): number {
    return this.algorithm.remaining(this.state, this.now, this.rule)
  }

  /** Whether the demand keeps its group from standing in another line: it is charged together with the group. */
  get isCharged(): boolean {
    return this.isEnforced && this.demand.terms?.place === undefined
  }

  /**
   * Whether the demand can get a place in line. One that leaves units to more important callers gets none, because these would then
   * stand behind it.
   */
  get canJoin(): boolean {
    return (
      this.demand.mode === Mode.CHARGE &&
      this.algorithm.line !== undefined &&
      unitsLeftToOthers(this.demand, this.rule) === 0
    )
  }

  /** Microseconds until a demand that does not pass may do so. Undefined if its caller does not wait that long. @param joins by a place */
  wait(joins: boolean): number | undefined {
    const maxWait = this.demand.terms?.maxWait ?? 0
    if (maxWait === 0) return undefined
    const cooldown = blockedUntil(this.state) - this.now
    const wait = this.untilFree(joins, cooldown)
    if (wait <= maxWait) return wait
    // A place in flight may become free at any time.
    return this.algorithm.isFlight && wait < Number.POSITIVE_INFINITY && cooldown <= maxWait
      ? maxWait
      : undefined
  }

  protected untilFree(joins: boolean, cooldown: number): number {
    const { algorithm, state, now, rule, needed } = this
    return joins
      ? algorithm.line!.wait(state, now, needed, rule)
      : Math.max(algorithm.wait(state, now, needed, rule), cooldown)
  }

  /** Promises the next turn to the caller of a demand that must wait. Returns whether the counter changed. */
  promise(): boolean {
    return false
  }

  /** Makes the change of a demand that passes. Returns whether the counter changed. @param joins by a place in line */
  take(units: number, joins: boolean): boolean {
    const { state, now, demand } = this
    // perf: bench "@halt/store-memory, token bucket"; nearly every demand is a charge without terms.
    if (demand.mode === Mode.CHARGE && demand.terms === undefined && units > 0 && !joins)
      this.algorithm.charge(state, now, units, this.rule, demand.edges)
    else if (!(tells(demand) ? this.#tell() : this.#charge(units, joins)) || state.length === 0) return false
    if (state[0]! <= now) state[0] = 0
    return true
  }

  /** Charges the units that a demand asks for. False if there are none to charge. */
  #charge(units: number, joins: boolean): boolean {
    const { algorithm, demand, state, now, rule } = this
    const { mode, edges, terms } = demand
    // What has a place was charged with it.
    if (mode === Mode.PEEK || mode === Mode.DEFER || terms?.place !== undefined) return false
    const isReleased = this.#release()
    const time = terms?.keptFor ?? 0
    if (units === 0) return isReleased
    if (joins) algorithm.line!.join(state, now, units, rule)
    else if (time > 0 && algorithm.chargeFor !== undefined)
      algorithm.chargeFor(state, now, units, time, rule, edges)
    else algorithm.charge(state, now, units, rule, edges)
    return true
  }

  /** Makes the change that a demand tells. Returns whether there is one. */
  #tell(): boolean {
    const { algorithm, demand, state, now, rule } = this
    const { mode, cost, edges } = demand
    const { line } = algorithm
    if (mode === Mode.BLOCK && rule.cooldown === 0) return now < blockedUntil(state) && this.#thaw()
    if (mode === Mode.BLOCK) return now + rule.cooldown > blockedUntil(state) && this.#cool()
    if (mode === Mode.LOOK) line?.look(state, now, rule)
    else if (mode === Mode.RESET && line === undefined) return algorithm.restart?.(state, now) === true
    else if (mode === Mode.RESET) line!.reset(state, now, rule)
    else if (mode === Mode.SETTLE) return this.#settle()
    else if (cost !== 0) algorithm.grant?.(state, now, cost, rule, edges)
    return true
  }

  #settle(): boolean {
    const { algorithm, demand, state, now, rule } = this
    const { cost, edges, chargedTo = 0, terms } = demand
    const isReleased = this.#release()
    if (cost === 0) return isReleased
    const line = terms?.place && algorithm.line
    if (line !== undefined && cost > 0) line.join(state, now, cost, rule)
    else if (line !== undefined) line.leave(state, now, -cost, terms!.place!, rule)
    else if (cost > 0) algorithm.charge(state, now, cost, rule, edges)
    else {
      const back = -cost - this.#paidBack
      if (back <= 0) return isReleased
      algorithm.refund(state, now, back, rule, chargedTo)
    }
    return true
  }

  /** The units of a refund that time has paid back already. */
  get #paidBack(): number {
    const { chargedTo = 0 } = this.demand
    if (chargedTo === 0 || !this.algorithm.refills) return 0
    return Math.ceil((Math.max(0, this.now - chargedTo) * this.rule.rate) / this.rule.unit)
  }

  /** Gives units back that the call of the demand holds. Returns whether there were any. */
  #release(): boolean {
    const held = this.demand.terms?.held
    return held !== undefined && this.algorithm.holds?.release(this.state, this.now, held) === true
  }

  /**
   * Starts the cool-down of a refusal. Returns whether there is one. A refusal during a cool-down does not extend it. The normal rule
   * decides whether a cost can ever pass, and starts a cool-down: one that only the reduced rule never admits passes after the penalty.
   * A refusal in favour of others starts none.
   */
  refuse(): boolean {
    const { state, now, rule, demand } = this
    const { cooldown, capacity } = demand.rule
    if (demand.mode === Mode.PEEK || cooldown === 0 || now < blockedUntil(state)) return false
    if (demand.cost > capacity) return false
    return !isReserved(demand, rule, state, now) && this.#cool()
  }

  #cool(): true {
    const { state, now, rule, algorithm } = this
    if (state.length === 0) state.push(0, ...algorithm.idle(now, rule))
    // The time until now is paid, and the time of the cool-down is not: it freezes the line.
    algorithm.line?.look(state, now, rule)
    state[0] = now + rule.cooldown
    algorithm.line?.look(state, now, rule)
    return true
  }

  /** Ends the cool-down of a counter that has one. */
  #thaw(): true {
    const { state, now, rule, algorithm } = this
    algorithm.line?.thaw(state, now, rule)
    state[0] = 0
    return true
  }

  /** Writes the counter, a pool together with its clock. A clock begins with the first debt. */
  keep(counters: Counters): void {
    const { demand, rule, state, clock, now } = this
    const fresh = freshAt(state, rule)
    if (clock === undefined || (clock.epoch === now && fresh <= now))
      return counters.keep(demand.subject, rule.counter, state, fresh)
    const { state: stored, until } = withClock(state, clock, now, rule)
    counters.keep(demand.subject, rule.counter, stored, Math.max(fresh, until))
  }

  /** The counter of the tenant; empty if the demand has no share. */
  get share(): State {
    return NONE
  }
}
