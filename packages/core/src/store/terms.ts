import { type Rule, type State, algorithmOf, blockedUntil } from '../algorithms/index.ts'
import { type Demand, type Group, Mode, type Terms } from './contract.ts'

// A share of a capacity is not exact in doubles, and must not leave a unit too many.
const ROUNDING = 1e-6

/** The fewest units that a demand accepts. */
export function fewestOf({ terms, cost }: Demand): number {
  return terms?.least ?? cost
}

/** Whether every demand was granted units that it accepts. */
export function areGrants(grants: readonly number[], demands: readonly Demand[]): boolean {
  return demands.every((demand, i) => grants[i]! <= demand.cost && grants[i]! >= fewestOf(demand))
}

/** Whether a demand gets a ticket where the turn of its tenant has not come. */
export function asksForTicket({ mode, terms }: Demand): boolean {
  return mode === Mode.CHARGE && Boolean(terms?.maxWait) && terms?.share?.wantsTicket === true
}

/** Whether a demand gives back a ticket, for which the pool was charged nothing. */
export function isTicketBack({ mode, terms }: Demand): boolean {
  return mode === Mode.SETTLE && terms?.share?.ticket !== undefined
}

/** The part of a demand that is about the tenant's own counter. A place was charged there already, so it costs nothing now. */
export function ofTenant({ subject, cost, mode, chargedTo, terms }: Demand): Demand {
  const { share, place, maxWait, least } = terms!
  const { rule } = share!
  // Written out, because spreads took a third of a check.
  return mode === Mode.CHARGE && place !== undefined
    ? { rule, subject, cost: 0, mode: Mode.SETTLE, chargedTo, penalized: false, terms: { share } }
    : { rule, subject, cost, mode, chargedTo, penalized: false, terms: { maxWait, least, share } }
}

/** The terms that a correction of a demand keeps: the tenant's share. */
export function shareIn({ terms }: Demand): Terms | undefined {
  return terms?.share && { share: { ...terms.share, ticket: undefined, wantsTicket: false } }
}

/** The units that a demand must leave to others. */
export function unitsLeftToOthers({ terms }: Demand, { capacity }: Rule): number {
  return terms?.headroom === undefined ? 0 : unitsOfShare(terms.headroom, capacity)
}

/** The whole units that a share of a capacity leaves to others. */
export function unitsOfShare(share: number, capacity: number): number {
  return share > 0 ? Math.ceil(share * capacity - ROUNDING) : 0
}

/** The units of a demand that its call still holds, so that they need no room. */
export function unitsHeld({ terms }: Demand, rule: Rule, state: State, now: number): number {
  const held = terms?.held
  return held === undefined ? 0 : (algorithmOf(rule).holds?.still(state, now, held) ?? 0)
}

/** Whether a demand that does not pass would pass if it left nothing to others. */
export function isReserved(demand: Demand, rule: Rule, state: State, now: number): boolean {
  const { terms } = demand
  if (terms?.headroom === undefined || now < blockedUntil(state)) return false
  const units = fewestOf(demand) - unitsHeld(demand, rule, state, now)
  return algorithmOf(rule).fits(state, now, units, rule)
}

/** Whether a group is one bucket whose counter tells the whole evaluation. */
export function isDemandAlone({ demands, penalty, idempotency }: Group): boolean {
  if (demands.length > 1 || penalty !== undefined || idempotency !== undefined) return false
  const { least, headroom, share } = demands[0]?.terms ?? {}
  // The counter tells neither the units granted, nor those left to others, nor what its tenants have.
  return least === undefined && !headroom && share === undefined
}

/** Whether some demand accepts fewer units than its cost. */
export function hasLeast(demands: readonly Demand[]): boolean {
  return demands.some(({ terms }) => terms?.least !== undefined)
}
