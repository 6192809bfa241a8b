import { Decision, type PolicyVerdict, type Reason } from './decision.ts'
import type { OnStoreError } from './policy.ts'
import type { Item, Question } from './question.ts'
import type { Demand, Verdict } from './store/contract.ts'
import { blockedUntil, listOf } from './store/decide.ts'
import { penaltyUntil, remaining, resetAt, ruleInForce, waitFor } from './store/read.ts'

/** What a decision rests on: the question and the store's verdict on it. */
export interface Grounds {
  readonly question: Question
  readonly verdict: Verdict
}

/** Reads a store's verdict into the decision that users see. */
export function answer(
  question: Question,
  verdict: Verdict,
  degraded: false | OnStoreError = false,
): Decision {
  const { items } = question
  const verdicts: PolicyVerdict[] = listOf(items.length)
  let binding: PolicyVerdict | undefined
  let cost = 0
  let retryAfter = 0
  for (let i = 0; i < items.length; i++) {
    const item = items[i] as Item
    const said = (verdicts[i] = read(item, question, verdict))
    if (item.shadow) continue
    if (said.retryAfter > retryAfter) retryAfter = said.retryAfter
    if (binding === undefined || binds(said, binding)) {
      binding = said
      cost = item.cost
    }
  }
  if (binding?.allowed === false) {
    let longest = -1
    for (let i = 0; i < items.length; i++) {
      const item = items[i] as Item
      if (item.shadow) continue
      // Of those that pass, too: under a penalty that this very refusal started they may not any more.
      const wait = waitOf(item, question, verdict)
      retryAfter = Math.max(retryAfter, seconds(wait))
      const said = verdicts[i] as PolicyVerdict
      if (said.allowed || wait <= longest) continue
      longest = wait
      binding = said
      cost = item.cost
    }
  }
  Object.freeze(verdicts)
  const isCharged = verdict.allowed && !verdict.repeated && degraded === false
  const grounds: Grounds = { question, verdict }
  // Only shadow policies: the request passes, the first of them is shown.
  const shown = binding ?? { ...(verdicts[0] as PolicyVerdict), allowed: true, reason: 'ok' as const }
  return new Decision(
    shown,
    retryAfter,
    verdict.repeated ? 0 : cost,
    degraded,
    verdicts,
    grounds,
    isCharged,
    verdict.now / 1e6,
  )
}

/** Whose request it is about, and by which policy, where no counter decides. */
export interface Uncounted {
  readonly policy: string
  readonly limit: number
  readonly key: string
  readonly cost: number
}

const NO_VERDICTS: readonly PolicyVerdict[] = Object.freeze([])

/** A decision that lets a request in uncounted: it is exempt, or (`open`) the store is away and the policies are open. */
export function pass({ policy, limit, key, cost }: Uncounted, nowMs: number, open = false): Decision {
  const resetAt = Math.ceil(nowMs / 1000)
  const shown = {
    allowed: true,
    reason: open ? ('ok' as const) : ('exempt' as const),
    policy,
    limit,
    remaining: limit,
    resetAt,
    key,
  }
  return new Decision(
    shown,
    0,
    open ? cost : 0,
    open ? 'open' : false,
    NO_VERDICTS,
    undefined,
    false,
    nowMs / 1000,
  )
}

/** A refusal that no counter decided: no key, no policy, no store. */
export function refusal(
  reason: Reason,
  { policy, limit, key, cost }: Uncounted,
  nowMs: number,
  degraded: false | OnStoreError = false,
  retryAfter = 0,
): Decision {
  const resetAt = Math.ceil(nowMs / 1000) + retryAfter
  const said: PolicyVerdict = Object.freeze({
    policy,
    allowed: false,
    reason,
    limit,
    remaining: 0,
    resetAt,
    retryAfter,
    key,
    mode: 'enforce',
  })
  return new Decision(said, retryAfter, cost, degraded, Object.freeze([said]), undefined, false, nowMs / 1000)
}

function read(item: Item, { group }: Question, verdict: Verdict): PolicyVerdict {
  const own = readDemand(item, item.at, group.demands[item.at] as Demand, verdict)
  if (item.guard < 0 && item.lease < 0) return own
  // Several counters, one policy: the one that refuses longest, else the key's own.
  let said = own
  for (const at of [item.guard, item.lease]) {
    if (at < 0) continue
    const other = readDemand(item, at, group.demands[at] as Demand, verdict)
    if (!other.allowed && (said.allowed || other.retryAfter > said.retryAfter)) said = other
  }
  return said
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

/** Microseconds until all counters of a policy let its cost pass. */
function waitOf({ at, guard, lease }: Item, { group }: Question, verdict: Verdict): number {
  let longest = 0
  for (const i of [at, guard, lease]) {
    if (i >= 0)
      longest = Math.max(longest, waitFor(group.demands[i] as Demand, verdict.states[i] ?? [], verdict))
  }
  return longest
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

function seconds(micros: number): number {
  return micros === Number.POSITIVE_INFINITY ? micros : Math.ceil(micros / 1e6)
}
