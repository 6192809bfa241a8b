import type { Rule } from '../algorithms/index.ts'
import { type EventLoop, followsFakeTimers, type Timer } from '../base/event-loop.ts'
import { PairMemo } from '../base/bounded-memory.ts'
import type { Check } from '../check/check.ts'
import { type CheckResult, storeResult } from '../check/check-result.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Evaluator } from '../check/evaluator.ts'
import type { CounterId, Demand, Group } from '../store/contract.ts'
import { keyOf } from '../store/counter-key.ts'
import { Admitted } from '../store/admitted.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt } from '../store/reading.ts'
import { type Batch, Lease } from './lease.ts'
import {
  mayBePaid,
  paidEvaluation,
  paidPart,
  partlyPaidEvaluation,
  type Spent,
  unpaidPart,
} from './leased-check.ts'
import { batchOf, giveBack, planTake } from './take.ts'

const MOST_LEASES = 10_000

/** The part of a guarded store that leases need. */
export type LeasableStore = Pick<Evaluator, 'evaluate' | 'ask' | 'correctInStore' | 'instances'>

/**
 * Decides checks of leased policies. Units that this process has charged in advance pay for a check without a call to the store.
 * Everything else goes to the store, which is exact.
 *
 * Source: leases as a charged, expiring right (Gray and Cheriton, 1989), here of units of a limit.
 */
export class Leases {
  readonly #store: LeasableStore
  readonly #loop: EventLoop
  readonly #known = new PairMemo<Lease>(MOST_LEASES)
  // The leases that hold units, also those that the memo has forgotten.
  readonly #holding = new Set<Lease>()
  // The calls of the store that no request waits for.
  readonly #calls = new Set<Promise<void>>()
  // The counters of the resets that are under way.
  readonly #resets = new Set<ReadonlySet<string>>()
  #timer: Timer | number | undefined
  #timerDue = 0
  #isClosed = false

  constructor(store: LeasableStore, loop: EventLoop = followsFakeTimers) {
    this.#store = store
    this.#loop = loop
  }

  /** Charges a counter from a lease. Returns undefined if no lease can pay: {@link evaluate} then decides. */
  charge(subject: string, rule: Rule, cost: number): Admitted | undefined {
    const lease = this.#known.get(rule.counter, subject)
    if (lease === undefined || lease.rule !== rule) return undefined
    const now = this.#now()
    if (lease.spend(cost, now) === undefined) return undefined
    if (lease.isLow(now)) this.#take(lease, now)
    const storeNow = lease.storeNow(now)
    return rule.code === 't'
      ? new Admitted(storeNow, rule, lease.debtAt(now))
      : new Admitted(storeNow, rule, undefined, lease.stateAt(now))
  }

  /** Evaluates a check. Leases pay the demands that they can, and the store decides the rest. */
  evaluate(check: Check, failed?: boolean): CheckResult | Promise<CheckResult> {
    const now = this.#now()
    const spent = this.#spend(check, now)
    for (const { lease } of spent) if (lease.isLow(now)) this.#take(lease, now)
    if (spent.length > 0 && spent.length === check.demands.length)
      return storeResult(check, paidEvaluation(check, paidPart(spent, now)))
    const rest = spent.length === 0 ? check : unpaidPart(check, spent)
    const result = this.#store.evaluate(rest, failed, check)
    return 'then' in result
      ? result.then(settled => this.#merge(check, rest, spent, settled))
      : this.#merge(check, rest, spent, result)
  }

  release(counters: readonly Pick<Demand, 'subject' | 'rule'>[]): void {
    for (const { subject, rule } of counters) {
      const lease = this.#known.get(rule.counter, subject)
      if (lease !== undefined) this.#giveBack(lease, Number.POSITIVE_INFINITY)
    }
  }

  /**
   * Forgets the units of counters, and resets these in the store by `forget`, when the calls that are under way have ended. A call
   * that overtook the reset would charge units to the new counter that this process then does not know of, or give it units that
   * it never charged.
   */
  async reset(counters: readonly CounterId[], forget: () => Promise<number>): Promise<number> {
    const keys = new Set(counters.map(({ subject, counter }) => keyOf(subject, counter)))
    for (const { subject, counter } of counters) this.#forget(this.#known.get(counter, subject))
    // The memo may have forgotten a lease that holds units.
    for (const lease of this.#holding) if (keys.has(keyOfLease(lease))) this.#forget(lease)
    this.#resets.add(keys)
    try {
      if (this.#calls.size > 0) await Promise.all(this.#calls)
      return await forget()
    } finally {
      this.#resets.delete(keys)
    }
  }

  #forget(lease: Lease | undefined): void {
    if (lease === undefined) return
    lease.resets++
    lease.takeOut(Number.POSITIVE_INFINITY)
    this.#holding.delete(lease)
  }

  /** Whether a counter is being reset, so that nobody knows to which counter a call would charge units. */
  #isReset(lease: Lease): boolean {
    if (this.#resets.size === 0) return false
    const key = keyOfLease(lease)
    return [...this.#resets].some(keys => keys.has(key))
  }

  /** Gives back everything. The store may have lost the counters before it came back. */
  reconnected(): void {
    for (const lease of this.#holding) this.#giveBack(lease, Number.POSITIVE_INFINITY)
  }

  /**
   * Gives back everything, and takes nothing more. Resolves when the store has answered, or has not within its time, so that it can
   * be closed.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== undefined) this.#loop.cancel(this.#timer)
    for (const lease of this.#holding) this.#giveBack(lease, Number.POSITIVE_INFINITY)
    // A call that takes units ends with one that gives them back.
    while (this.#calls.size > 0) await Promise.all(this.#calls)
  }

  /** This process's clock, in microseconds. */
  #now(): number {
    return this.#loop.now() * 1000
  }

  #spend(check: Check, now: number): Spent[] {
    const spent: Spent[] = []
    for (const [at, { lease: terms }] of check.policies.entries()) {
      if (terms === undefined || !mayBePaid(check, at)) continue
      const { subject, rule, cost } = check.demands[at] as Demand
      const lease = this.#known.get(rule.counter, subject)
      const batch = lease?.rule === rule ? lease.spend(cost, now) : undefined
      if (batch !== undefined) spent.push({ at, cost, lease: lease as Lease, batch })
    }
    return spent
  }

  #merge(check: Check, rest: Check, spent: readonly Spent[], result: CheckResult): CheckResult {
    const { evaluation, degraded, late } = result
    const now = this.#now()
    if (degraded === false) this.#observe(rest, evaluation, now)
    if (spent.length === 0) return result
    const paid = paidPart(spent, now)
    const whole = (own: CheckResult): CheckResult => ({
      ...own,
      check,
      evaluation: partlyPaidEvaluation(check, paid, own.evaluation),
    })
    const isAllowed = evaluation.allowed && degraded !== 'closed'
    // Without the store, the fallback has decided the whole check. If the store may still tell that it has charged its part, the units go
    // with that.
    if (isAllowed && late?.mayArrive === true) late.completeBy(whole)
    else if (!isAllowed || degraded !== false) this.#unspend(spent, now)
    return degraded === false ? whole(result) : result
  }

  /** Learns of the counters of leased policies, and takes units of those that are busy. */
  #observe(check: Check, evaluation: Evaluation, now: number): void {
    for (const [at, { lease: terms }] of check.policies.entries()) {
      if (terms === undefined || !mayBePaid(check, at)) continue
      const demand = check.demands[at] as Demand
      const lease = this.#leaseOf(demand, terms)
      const { states, now: toldAt } = evaluationAt(evaluation, at)
      lease.ask(demand.cost, now)
      if (!lease.observe(states[at] ?? [], toldAt, now)) this.#giveBack(lease, Number.POSITIVE_INFINITY)
      else if (evaluation.passes[at] === true && lease.isLow(now)) this.#take(lease, now)
    }
  }

  #leaseOf(demand: Demand, terms: NonNullable<CompiledPolicy['lease']>): Lease {
    const { subject, rule, edges } = demand
    let lease = this.#known.get(rule.counter, subject)
    if (lease === undefined || lease.rule !== rule)
      this.#known.set(rule.counter, subject, (lease = new Lease(demand, terms)))
    lease.edges = edges
    return lease
  }

  /** Takes the next units, unless that would not pay off. Nobody waits for it. */
  #take(lease: Lease, now: number): void {
    if (lease.isTaking || this.#isClosed || this.#isReset(lease)) return
    const take = planTake(lease, now, this.#store.instances())
    if (take === undefined) return
    lease.isTaking = true
    const { resets } = lease
    this.#track(
      new Promise(resolve => {
        this.#store.ask(take.group, evaluation => {
          lease.isTaking = false
          if (evaluation !== undefined && lease.resets === resets)
            this.#keep(lease, evaluation, now, take.hold)
          resolve()
        })
      }),
    )
  }

  #keep(lease: Lease, evaluation: Evaluation, sent: number, hold: number): void {
    const now = this.#now()
    const isFree = lease.observe(evaluation.states[0] ?? [], evaluation.now, now)
    const batch = batchOf(lease, evaluation, sent, hold)
    if (batch === undefined) return
    lease.add(batch, now)
    this.#holding.add(lease)
    const mustEnd = !isFree || this.#isClosed
    this.#giveBack(lease, mustEnd ? Number.POSITIVE_INFINITY : now)
    this.#arm(lease, now)
  }

  #unspend(spent: readonly Spent[], now: number): void {
    for (const { lease, batch, cost } of spent)
      if (batch.resets === lease.resets && !lease.unspend(batch, cost, now))
        this.#track(this.#correct(giveBack(lease, batch, cost, lease.storeNow(now))))
  }

  /** Gives back the units of the batches that have expired at an instant. */
  #giveBack(lease: Lease, at: number): void {
    const storeNow = lease.storeNow(this.#now())
    const gone: Batch[] = lease.takeOut(at)
    if (lease.nextEnd === undefined) this.#holding.delete(lease)
    for (const batch of gone) this.#track(this.#correct(giveBack(lease, batch, batch.units, storeNow)))
  }

  #track(call: Promise<void>): void {
    this.#calls.add(call)
    void call.then(() => this.#calls.delete(call))
  }

  async #correct(group: Group | undefined): Promise<void> {
    try {
      if (group !== undefined) await this.#store.correctInStore(group)
    } catch {
      // The units stay charged, as if they had been used. The failure was already reported.
    }
  }

  /** Sets the timer for the next end of a lease, unless it rings before. On Workers a timer may never ring. */
  #arm({ nextEnd }: Lease, now: number): void {
    if (
      nextEnd === undefined ||
      (this.#timer !== undefined && this.#timerDue > now && this.#timerDue <= nextEnd)
    )
      return
    if (this.#timer !== undefined) this.#loop.cancel(this.#timer)
    this.#timerDue = nextEnd
    this.#timer = this.#loop.after(Math.max(1, Math.ceil((nextEnd - now) / 1000)), () => this.#sweep())
    // Units that a process holds when it ends are lost, which is no reason to keep it alive.
    if (typeof this.#timer === 'object') this.#timer.unref?.()
  }

  /** Gives back the batches that have expired, and sets the timer for the others. */
  #sweep(): void {
    this.#timer = undefined
    const now = this.#now()
    for (const lease of this.#holding) {
      this.#giveBack(lease, now)
      this.#arm(lease, now)
    }
  }
}

function keyOfLease({ subject, rule }: Lease): string {
  return keyOf(subject, rule.counter)
}
