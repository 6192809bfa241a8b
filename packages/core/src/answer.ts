import { Decision, type DecisionFields, type PolicyVerdict, type Reason } from './decision.ts'
import type { OnStoreError } from './policy.ts'
import type { Item, Question } from './question.ts'
import type { Demand, Verdict } from './store/contract.ts'
import { blockedUntil } from './store/decide.ts'
import { penaltyUntil, remaining, resetAt, ruleInForce, waitFor } from './store/read.ts'

/** What was charged by an admitted request: the question and the store's verdict on it. */
export interface Charge {
  readonly question: Question
  readonly verdict: Verdict
}

/** Reads a store's verdict into the decision that users see. */
export function answer(question: Question, verdict: Verdict, degraded: false | OnStoreError = false): Decision {
  const { items } = question
  const verdicts: PolicyVerdict[] = []
  let binding: PolicyVerdict | undefined
  let cost = 0
  let retryAfter = 0
  for (const item of items) {
    const said = read(item, question, verdict)
    verdicts.push(said)
    if (item.shadow) continue
    if (said.retryAfter > retryAfter) retryAfter = said.retryAfter
    if (binding === undefined || binds(said, binding)) {
      binding = said
      cost = item.cost
    }
  }
  const charge = verdict.allowed && !verdict.repeated && degraded === false ? ({ question, verdict } satisfies Charge) : undefined
  Object.freeze(verdicts)
  if (binding !== undefined) {
    if (verdict.repeated) cost = 0
    return new Decision({ ...named(binding), retryAfter, cost, degraded, verdicts }, charge, verdict.now / 1e6)
  }
  // Only shadow policies: the request passes, the first of them is shown.
  const shown = named(verdicts[0] as PolicyVerdict)
  return new Decision({ ...shown, allowed: true, reason: 'ok', retryAfter: 0, cost: 0, degraded, verdicts }, charge, verdict.now / 1e6)
}

/** A decision about a request that no policy counts. */
export function exempt(item: { policy: string; limit: number; key: string }, nowMs: number): Decision {
  const { policy, limit, key } = item
  const resetAt = Math.ceil(nowMs / 1000)
  const verdicts = Object.freeze([])
  return new Decision(
    { allowed: true, reason: 'exempt', policy, limit, remaining: limit, resetAt, retryAfter: 0, cost: 0, key, degraded: false, verdicts },
    undefined,
    nowMs / 1000,
  )
}

/** A refusal that no counter decided: no key, no policy, no store. */
export function refusal(
  reason: Reason,
  item: { policy: string; limit: number; key: string; cost: number },
  nowMs: number,
  degraded: false | OnStoreError = false,
  retryAfter = 0,
): Decision {
  const { policy, limit, key, cost } = item
  const at = Math.ceil(nowMs / 1000) + retryAfter
  const verdict: PolicyVerdict = Object.freeze({
    policy, allowed: false, reason, limit, remaining: 0, resetAt: at, retryAfter, key, mode: 'enforce',
  })
  const fields: DecisionFields = { ...named(verdict), cost, degraded, verdicts: Object.freeze([verdict]) }
  return new Decision(fields, undefined, nowMs / 1000)
}

function read(item: Item, { group }: Question, verdict: Verdict): PolicyVerdict {
  const own = readDemand(item, item.at, group.demands[item.at] as Demand, verdict)
  if (item.guard < 0) return own
  const shared = readDemand(item, item.guard, group.demands[item.guard] as Demand, verdict)
  // Two counters, one policy: the one that refuses longest, else the key's own.
  return !shared.allowed && (own.allowed || shared.retryAfter > own.retryAfter) ? shared : own
}

function readDemand(item: Item, at: number, demand: Demand, verdict: Verdict): PolicyVerdict {
  const state = verdict.states[at] ?? []
  const allowed = verdict.passes[at] === true
  const wait = allowed ? 0 : waitFor(demand, state, verdict)
  return Object.freeze({
    policy: item.policy.name,
    allowed,
    reason: allowed ? 'ok' : reasonOf(demand, state, verdict),
    limit: ruleInForce(demand, verdict).limit,
    remaining: remaining(demand, state, verdict),
    resetAt: seconds(resetAt(demand, state, verdict)),
    retryAfter: seconds(wait),
    key: demand.subject,
    mode: item.shadow ? 'shadow' : 'enforce',
  })
}

function reasonOf(demand: Demand, state: readonly number[], verdict: Verdict): Reason {
  const { rule, cost } = demand
  const block = blockedUntil(state as number[])
  if (cost > rule.capacity) return 'cost-exceeds-limit'
  // The refusal that starts a cool-down is itself for the limit's sake.
  if (verdict.now < block && block !== verdict.now + rule.block) return 'blocked'
  if (rule.letter === 'q') return 'quota-exceeded'
  return penaltyUntil(verdict) > 0 && ruleInForce(demand, verdict) !== rule ? 'penalized' : 'limited'
}

function binds(a: PolicyVerdict, b: PolicyVerdict): boolean {
  if (a.allowed !== b.allowed) return b.allowed
  return a.allowed ? a.remaining * b.limit < b.remaining * a.limit : a.retryAfter > b.retryAfter
}

function named(verdict: PolicyVerdict): Omit<DecisionFields, 'cost' | 'degraded' | 'verdicts'> {
  const { allowed, reason, policy, limit, remaining: left, resetAt: at, retryAfter, key } = verdict
  return { allowed, reason, policy, limit, remaining: left, resetAt: at, retryAfter, key }
}

function seconds(micros: number): number {
  return micros === Number.POSITIVE_INFINITY ? micros : Math.ceil(micros / 1e6)
}
