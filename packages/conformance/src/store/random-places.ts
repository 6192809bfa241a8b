import { algorithms, codes, type Demand, type Group, Mode, type Terms } from '@halt/core/store'

import type { Charged } from './charged.ts'
import type { Pick } from './random-terms.ts'

/**
 * Picks what somebody does who has a place in line, or had one: starts, leaves, comes back after the place was lost, or looks. The
 * place comes from an earlier reply, and sometimes a wrong one. Empty if no caller of the past got one.
 */
export function randomFollowUp(random: () => number, pick: Pick, past: readonly Charged[]): Group[] {
  const placed = past.filter(({ group, evaluation }) =>
    group.demands.some((demand, i) => placeOf(demand, evaluation.states[i]) !== undefined),
  )
  if (placed.length === 0) return []
  const { group, evaluation } = pick(placed)
  const act = pick(['leave', 'leave', 'leave', 'start', 'come back', 'look', 'reset', 'refund', 'block'])
  const isWrong = random() < 0.15
  const demands = group.demands.flatMap((charged, i): Demand[] => {
    const place = placeOf(charged, evaluation.states[i])
    if (place === undefined) return []
    const cost = evaluation.grants?.[i] ?? charged.cost
    const shifted = {
      position: Math.max(0, place.position + pick([0, -1, 1, -2, -7, 1000])),
      born: place.born + pick([0, 0, 1, -250_000]),
    }
    const settled: Terms = { place: isWrong ? shifted : place }
    const terms: Terms = { ...charged.terms, ...settled }
    const demand = { ...charged, cost, chargedTo: undefined }
    const share = charged.terms?.share && { ...charged.terms.share, ticket: undefined, wantsTicket: false }
    if (act === 'leave') return [{ ...demand, mode: Mode.SETTLE, cost: -cost, terms: { ...settled, share } }]
    if (act === 'refund') return [{ ...demand, mode: Mode.SETTLE, cost: -pick([1, cost]), terms: undefined }]
    if (act === 'start') return [{ ...demand, mode: Mode.CHARGE, terms }]
    if (act === 'come back')
      return [{ ...demand, mode: Mode.SETTLE, cost: pick([cost, 7 * cost, 40]), terms: settled }]
    const mode = act === 'look' ? Mode.LOOK : act === 'reset' ? Mode.RESET : Mode.BLOCK
    return [{ ...demand, mode, cost: 0, terms: undefined }]
  })
  return [{ demands: random() < 0.2 ? demands.slice(0, 1) : demands, penalty: undefined }]
}

/** The place that a demand got at the end of a line, as far as the counter after it tells. */
function placeOf({ rule, mode, cost, terms }: Demand, state: readonly number[] = []): Terms['place'] {
  if (rule.code !== codes['token-bucket'] || mode !== Mode.CHARGE || cost <= 0) return undefined
  // A caller that leaves units to others gets no place.
  if ((terms?.headroom ?? 0) > 0) return undefined
  const line = algorithms.t.line?.read([...state], state[1] ?? 0, rule)
  // Wrong places may have left more units than there were.
  return line === undefined || line.tail < 1 ? undefined : { position: line.tail, born: line.born }
}
