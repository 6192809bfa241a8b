// Tickets of callers that wait for their share of a bucket. The store counts the units of a caller when it gives a ticket, and admits the
// caller when its turn has come.
import type { Ticket } from '../algorithms/index.ts'
import type { Check } from '../check/check.ts'
import type { CheckResult } from '../check/check-result.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import { evaluationAt } from '../store/reading.ts'
import { poolAt } from '../store/shares.ts'
import { ticketOf } from '../store/tickets.ts'
import { isTurn } from './in-line.ts'

/** A ticket, and what its caller knows of the clock of its bucket. */
interface Held {
  readonly ticket: Ticket
  /** The key of the bucket's counter, the units that the caller takes, and when the tenant's tag is forgotten. */
  readonly pool: string
  readonly units: number
  readonly until: number
  /** How far one request moves the tenant's tag. */
  readonly request: number
  /** The reading of the clock when the ticket was given, and when the store was asked last; the instants of the store's clock. */
  readonly from: Reading
  readonly last: Reading
  /** How often the store has told the caller to come back. */
  readonly tries: number
}

/** A reading of a virtual clock, and its instant in microseconds. */
interface Reading {
  readonly reading: number
  readonly at: number
}

/** The tickets of a caller, by the name of the share's counter. */
export type Tickets = ReadonlyMap<string, Held>

/** The share of the expected wait after which a caller asks again. The clock may run faster than it did. */
const EARLY = 0.7
/** The longest time after which a caller asks again. Microseconds. */
const LOOK = 1e6

/** The tickets after a refusal: those that the caller had, and new ones. Undefined if it has none. */
export function ticketsAfter(
  { check, evaluation }: CheckResult,
  had: Tickets | undefined,
): Tickets | undefined {
  let tickets: Map<string, Held> | undefined
  for (const [at, { rule, terms, cost }] of check.demands.entries()) {
    if (terms?.share === undefined) continue
    const before = had?.get(rule.counter)
    const ticket = before?.ticket ?? ticketOf(check, at, evaluation)
    if (ticket === undefined) continue
    const state = evaluation.states[at]!
    const last = { reading: state[READING]!, at: evaluationAt(evaluation, at).now }
    const { from = last, request = state[TAG]! - ticket.tag, tries = 0 } = before ?? {}
    const pool = keyOfDemand(check.demands[poolAt(check.demands, at)]!)
    const held = { ticket, pool, units: terms.least ?? cost, until: state[UNTIL]! }
    ;(tickets ??= new Map()).set(rule.counter, { ...held, request, from, last, tries: tries + 1 })
  }
  return tickets
}

/**
 * How long a caller waits before it asks again, in microseconds. The store tells when the turn comes if nobody else takes one, but
 * others do. So whoever has more than one turn of its own tenant in front of it waits longer: as the clock ran so far.
 *
 * @param told what the store told
 */
export function patienceOf(told: number, tickets: Tickets | undefined): number {
  let longest = told
  for (const { ticket, request, from, last, tries } of tickets?.values() ?? []) {
    const far = ticket.tag - last.reading - request
    const ran = last.reading - from.reading
    if (far <= 0) continue
    const own = ran >= request ? (EARLY * far * (last.at - from.at)) / ran : told * (1 + tries / 2)
    longest = Math.max(longest, Math.min(LOOK, Math.floor(own)))
  }
  return longest
}

/** The index of the clock's reading in a tag's state. */
const READING = 4
/** The indexes of the instant at which the tag is forgotten, and of the tag. */
const [UNTIL, TAG] = [1, 2] as const

/** Whether tenants share a bucket of a check, so that its callers take turns. */
export function takesTurns({ demands }: Check): boolean {
  return demands.some(isTurn)
}

/** The check with the tickets of its caller. Without one, it asks for one if the caller `wants` it. */
export function withTickets(check: Check, tickets: Tickets | undefined, wants: boolean): Check {
  if (!takesTurns(check)) return check
  const demands = check.demands.map((demand): Demand => {
    const { share } = demand.terms ?? {}
    if (share === undefined) return demand
    const ticket = tickets?.get(demand.rule.counter)?.ticket
    const wantsTicket = wants && ticket === undefined
    return { ...demand, terms: { ...demand.terms, share: { ...share, ticket, wantsTicket } } }
  })
  return { ...check, demands }
}

/** The group that gives back tickets which the caller does not use. */
export function ticketGroup({ demands }: Check, tickets: Tickets): Group {
  const given = demands.flatMap((demand, at): Demand[] => {
    if (!tickets.has(demand.rule.counter)) return []
    const { share, least } = demand.terms!
    const terms = { share: { ...share!, ticket: undefined, wantsTicket: false } }
    const settled = { ...demand, mode: Mode.SETTLE, edges: undefined }
    return [
      { ...demands[poolAt(demands, at)]!, mode: Mode.SETTLE, cost: 0, terms: undefined },
      { ...settled, cost: -(least ?? demand.cost), terms },
    ]
  })
  return { demands: given }
}
