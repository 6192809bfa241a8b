import { type Demand, type Group, Mode, type Terms } from '@halt/core/store'

/** The numbers of a share's rule that the script reads. */
const NUMBERS = ['capacity', 'unit', 'rate', 'window', 'slice', 'precision', 'cooldown'] as const

/**
 * Whether two groups differ only in their keys. Settlements, idempotent groups and most terms are rare, so they never count as alike.
 */
export function areAlike(a: Group, b: Group): boolean {
  const { length } = a.demands
  if (length !== b.demands.length || a.idempotency !== undefined || b.idempotency !== undefined) return false
  if (a.penalty?.rule !== b.penalty?.rule) return false
  if (a.penalty?.mode !== b.penalty?.mode || a.penalty?.amount !== b.penalty?.amount) return false
  for (let i = 0; i < length; i++) {
    const one = a.demands[i] as Demand
    const other = b.demands[i] as Demand
    if (one.cost !== other.cost || one.mode !== other.mode || one.mode === Mode.SETTLE) return false
    if (one.penalized !== other.penalized || one.edges !== other.edges) return false
    if (one.terms === undefined && other.terms === undefined) {
      if (one.rule !== other.rule) return false
    } else if (!areSharesAlike(one, other)) return false
  }
  return true
}

/** Whether two demands are about equal shares of one pool, for two tenants. */
function areSharesAlike({ rule, terms }: Demand, { rule: otherRule, terms: otherTerms }: Demand): boolean {
  if (terms === undefined || otherTerms === undefined) return false
  if (!isShareAlone(terms) || !isShareAlone(otherTerms)) return false
  const [share, other] = [terms.share!, otherTerms.share!]
  if (share.pool !== other.pool || share.weight !== other.weight || rule.code !== otherRule.code) return false
  return NUMBERS.every(name => rule[name] === otherRule[name])
}

/** Whether terms are a share of a pool and nothing else, without a ticket. */
export function isShareAlone({ maxWait, least, floor, place, held, keptFor, share }: Terms): boolean {
  if (maxWait || least !== undefined || floor || place !== undefined || keptFor || held !== undefined)
    return false
  return share !== undefined && !share.ticket && share.wantsTicket !== true
}
