// Tickets of callers that wait for their share of a bucket. The store counts the units of a caller when it gives a ticket, and admits the
// caller when its turn has come.
import { shareCodes, type Ticket } from '../algorithms/index.ts'
import type { Check } from '../check/check.ts'
import type { CheckResult } from '../check/check-result.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import { ticketOf } from '../store/tickets.ts'
import { fewestOf } from '../store/terms.ts'

/** A ticket. */
interface Held {
  readonly ticket: Ticket
  /** The key of the bucket's counter, the units that the caller takes, and when the tenant's tag is forgotten. */
  readonly pool: string
  readonly units: number
  readonly until: number
}

/** The tickets of a caller, by the name of the share's counter. */
export type Tickets = ReadonlyMap<string, Held>

/** The tickets after a refusal: those that the caller had, and new ones. Undefined if it has none. */
export function ticketsAfter(
  { check, evaluation }: CheckResult,
  had: Tickets | undefined,
): Tickets | undefined {
  let tickets: Map<string, Held> | undefined
  for (const [at, demand] of check.demands.entries()) {
    const { share } = demand.terms ?? {}
    if (share === undefined) continue
    const { counter } = share.rule
    const ticket = had?.get(counter)?.ticket ?? ticketOf(check, at, evaluation)
    if (ticket === undefined) continue
    const [, until] = evaluation.shares![at] as [number, number]
    const held = { ticket, pool: keyOfDemand(demand), units: fewestOf(demand), until }
    ;(tickets ??= new Map()).set(counter, held)
  }
  return tickets
}

/** Whether a demand is about a bucket that tenants share. */
export function isTurn({ terms }: Demand): boolean {
  return terms?.share?.rule.code === shareCodes['token-bucket']
}

/** Whether tenants share a bucket of a check, so that its callers take turns. */
export function takesTurns({ demands }: Check): boolean {
  return demands.some(isTurn)
}

/** The least time after which a caller starts behind units of its own tenant, which takes the whole bucket at most. Microseconds. */
export function waitBehind({ demands }: Group, units: number): number {
  const waits = demands.map(demand => {
    const { capacity, unit, rate } = demand.rule
    return isTurn(demand) ? ((units + demand.cost - capacity) * unit) / rate : 0
  })
  return Math.max(0, ...waits)
}

/** The check with the tickets of its caller. Without one, it asks for one if the caller `wants` it. */
export function withTickets(check: Check, tickets: Tickets | undefined, wants: boolean): Check {
  if (!takesTurns(check)) return check
  const demands = check.demands.map((demand): Demand => {
    const { share } = demand.terms ?? {}
    if (share === undefined) return demand
    const ticket = tickets?.get(share.rule.counter)?.ticket
    const wantsTicket = wants && ticket === undefined
    return { ...demand, terms: { ...demand.terms, share: { ...share, ticket, wantsTicket } } }
  })
  return { ...check, demands }
}

/** The group that gives back tickets which the caller does not use. */
export function ticketGroup({ demands }: Check, tickets: Tickets): Group {
  const given = demands.flatMap((demand): Demand[] => {
    const share = demand.terms?.share
    const ticket = share && tickets.get(share.rule.counter)?.ticket
    if (ticket === undefined) return []
    const terms = { share: { ...share!, ticket, wantsTicket: false } }
    return [{ ...demand, mode: Mode.SETTLE, edges: undefined, cost: -fewestOf(demand), terms }]
  })
  return { demands: given }
}

/** A demand as of a caller that does not wait. */
export function withoutWait(demand: Demand): Demand {
  return { ...demand, terms: demand.terms && { ...demand.terms, maxWait: undefined } }
}
