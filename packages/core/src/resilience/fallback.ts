import { algorithmOf, type State, takeClock, withClock } from '../algorithms/index.ts'
import { shareOf } from '../policy/rule-compiler.ts'
import type { OnStoreError } from '../policy/policy.ts'
import { isShadowed, type Check, partOf } from '../check/check.ts'
import { type CounterId, type Demand, type Group, type IdempotencyDemand, Mode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import { keepsKey } from '../store/beside-demands.ts'
import { shareIn } from '../store/terms.ts'
import { WriteBackQueue } from './write-back.ts'
import { type CheckResult, grantedBy, type LateReply } from '../check/check-result.ts'
import { type LocalCounters, evaluateLocally, localEdges } from './local-store.ts'
import type { KnownCounter, LastKnown } from './last-known.ts'
import { nowMicros } from '../base/event-loop.ts'

/** Decides checks in this process while the store cannot. It starts from the last known state of each counter. Bounded. */
export class Fallback {
  /** Local charges of quotas, which the store must be told later. */
  readonly writeBack: WriteBackQueue = new WriteBackQueue()
  readonly #mode: OnStoreError
  readonly #instances: () => number
  readonly #lastKnown: LastKnown
  readonly #local: LocalCounters

  constructor(mode: OnStoreError, instances: () => number, lastKnown: LastKnown, local: LocalCounters) {
    this.#mode = mode
    this.#instances = instances
    this.#lastKnown = lastKnown
    this.#local = local
  }

  /** Keeps the idempotency key of a call that the store allowed. */
  remember(group: Group, { allowed, passes }: Evaluation): void {
    const { idempotency } = group
    if (idempotency !== undefined && allowed && keepsKey(group, passes))
      this.#evaluate({ demands: [], idempotency })
  }

  /** Forgets the local state of some counters. */
  forget(counters: readonly CounterId[]): void {
    this.#local.store.forget(counters)
  }

  /**
   * Decides a check without the store.
   *
   * @param writesBack whether the charges of quotas are written back later, because the store did not receive the call
   */
  evaluate(check: Check, writesBack = true, late?: LateReply): CheckResult {
    const local: number[] = []
    let closedPolicy = -1
    // Policies in shadow mode decide nothing, unless all policies are in shadow mode.
    let isLocal = false
    let isOpen = false
    for (const [i, policy] of check.policies.entries()) {
      const mode = policy.onStoreError ?? this.#mode
      const reports = isShadowed(check, i)
      if (mode === 'local') local.push(i)
      if (reports) continue
      if (mode === 'local') isLocal = true
      else if (mode === 'open') isOpen = true
      else if (closedPolicy < 0) closedPolicy = i
    }
    const deciding = closedPolicy >= 0 || (isOpen && !isLocal) ? [] : local
    const degraded = closedPolicy >= 0 ? 'closed' : deciding.length > 0 ? 'local' : 'open'
    // Each process admits its share of the limits.
    const part = partOf(check, deciding, (demand, { cost }) => this.#share(demand, cost))
    const rest = { ...part, idempotency: deciding.length === 0 ? undefined : check.idempotency }
    const evaluation = this.#evaluate(rest)
    if (writesBack && evaluation.allowed && !evaluation.repeated)
      this.#queueWriteBack(check, deciding, evaluation)
    return { check: grantedBy(evaluation, rest), evaluation, degraded, closedPolicy, late }
  }

  /**
   * Corrects local charges. Returns the demands that only the store can correct, because their charges were quota charges that
   * have been written back.
   *
   * @param isOwed whether the store is told of the charges later. If not, they are not among those that are pending
   * @param idempotency the key of the call that was charged
   */
  correct({ demands }: Group, isOwed = true, idempotency?: IdempotencyDemand): Demand[] {
    const local: Demand[] = []
    const remote: Demand[] = []
    for (const demand of demands) {
      const isPending = isOwed && algorithmOf(demand.rule).isQuota
      const rest = isPending ? this.writeBack.correct(demand, idempotency) : undefined
      if (rest !== undefined) remote.push(rest)
      if (rest !== demand) local.push(demand)
    }
    if (local.length > 0) this.#evaluate({ demands: local })
    return remote
  }

  /** Takes refunds out of charges that the store was not told yet. Returns the rest of their group. */
  absorb(group: Group): Group {
    if (this.writeBack.size === 0) return group
    return { ...group, demands: group.demands.flatMap(demand => this.writeBack.absorb(demand) ?? []) }
  }

  #evaluate(group: Group): Evaluation {
    return evaluateLocally(this.#local.store, group, this.#lastKnown.offset)
  }

  #share(demand: Demand, cost: number): Demand {
    const rule = shareOf(demand.rule, this.#instances(), cost)
    const key = keyOfDemand(demand)
    const known = this.#lastKnown.get(demand.subject, demand.rule.counter)
    if (known !== undefined && this.#local.seeded.get(key) !== known.lastReply) {
      this.#local.seeded.set(key, known.lastReply)
      this.#local.store.put(demand.subject, rule.counter, own => this.#seed(demand, rule, known, own))
    }
    return { ...demand, rule, terms: withoutStore(demand) }
  }

  // Starts from what the store last reported, capped at this process's share, minus what was admitted here in the last
  // outage.
  #seed(demand: Demand, rule: Demand['rule'], known: KnownCounter, own: State): State {
    const now = nowMicros()
    const algorithm = algorithmOf(rule)
    const state = [...own]
    // The clock by which tenants share the bucket stays as it is.
    const clock = takeClock(state, now, rule)
    // What is left behind a cool-down, which ends by itself.
    const left = algorithm.remaining(known.state, now - known.offset, demand.rule)
    const used = Math.max(0, rule.capacity - left)
    const usedHere = rule.capacity - algorithm.remaining(state, now, rule)
    const edges = localEdges(demand.edges, this.#lastKnown.offset)
    if (used > usedHere) algorithm.charge(state, now, used - usedHere, rule, edges)
    if (state.length === 0) state.push(0, ...algorithm.idle(now, rule))
    const cooldown = known.state[0] ?? 0
    // An exhausted quota needs no cool-down, because it resets with its period.
    const refused = algorithm.isQuota ? 0 : known.refusedUntil
    const blocked = Math.max(refused, cooldown === 0 ? 0 : cooldown + known.offset)
    state[0] = blocked > now ? blocked : 0
    return clock === undefined ? state : withClock(state, clock, now, rule).state
  }

  #queueWriteBack(
    { policies, demands, idempotency }: Check,
    indexes: readonly number[],
    { passes, grants }: Evaluation,
  ): void {
    const owed: Demand[] = []
    for (const [j, i] of indexes.entries()) {
      const demand = demands[i] as Demand
      const isTaken = passes[j] === true && demand.cost > 0 && demand.mode !== Mode.PEEK
      if (isTaken && policies[i]?.calendar !== undefined)
        owed.push({ ...demand, cost: grants?.[j] ?? demand.cost, terms: undefined })
    }
    if (owed.length > 0) this.writeBack.add({ demands: owed, idempotency })
  }
}

/**
 * The terms of a demand without the store. Nobody can hold units there, so they are charged. Nobody keeps a ticket of this process, so
 * none is given: it would count the units each time that its caller asks. One of the store means nothing here.
 */
function withoutStore(demand: Demand): Demand['terms'] {
  const { terms } = demand
  if (terms?.keptFor === undefined && terms?.held === undefined && terms?.share === undefined) return terms
  return { ...terms, keptFor: undefined, held: undefined, ...shareIn(demand) }
}
