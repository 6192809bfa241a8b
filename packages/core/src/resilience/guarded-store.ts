import { nowMicros } from '../base/event-loop.ts'
import type { Idler } from '../base/idleness.ts'
import { type CheckResult, LateReply, storeResult } from '../check/check-result.ts'
import type { Check } from '../check/check.ts'
import { type Evaluator, type RuledCounter, mayHaveLine, resetGroup } from '../check/evaluator.ts'
import type { EvaluatorOptions } from '../charge/wings.ts'
import { capabilitiesOf, type StoreCapabilities } from '../store/capabilities.ts'
import type { Group, IdempotencyDemand } from '../store/contract.ts'
import type { Evaluate } from '../store/evaluation-check.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { hasCharged } from '../store/beside-demands.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { CatchUp } from './catch-up.ts'
import { CircuitBreaker, storeError, StoreTimeout, wasNotApplied } from './circuit-breaker.ts'
import { Fallback } from './fallback.ts'
import { instanceCounter } from './instance-counter.ts'
import { localCountersOf } from './local-store.ts'
import { RefusalCache } from './refusal-cache.ts'
import { StrictStore } from './strict-store.ts'

/**
 * Calls the store within a deadline. When the store cannot answer, the `onStoreError` of each policy decides instead.
 *
 * A call that timed out is never repeated, because the store may have applied it. A late reply updates the last known state.
 */
class GuardedStore implements Evaluator {
  readonly clock: StoreClock
  readonly instances: () => number
  readonly #can: StoreCapabilities
  readonly #strict: StrictStore
  readonly #breaker: CircuitBreaker
  readonly #refusals: RefusalCache
  readonly #fallback: Fallback
  readonly #catchUp: CatchUp

  constructor(options: EvaluatorOptions) {
    const { store, onStoreError, instances, warn } = options
    const strict = new StrictStore(options)
    const { clock, deadline, lastKnown } = strict
    this.clock = clock
    const can = capabilitiesOf(store)
    this.#can = can
    this.#strict = strict
    this.#refusals = new RefusalCache(lastKnown, clock)
    const count = instances === 'auto' ? instanceCounter(store, warn) : (): number => instances
    this.instances = count
    const fallback = new Fallback(onStoreError, count, lastKnown, localCountersOf(store))
    this.#fallback = fallback
    const settle: Evaluate = group => this.#settleLater(group)
    const report = (error: unknown): void => void strict.failed(error)
    this.#catchUp = new CatchUp({ store, settle, fallback, lastKnown, deadline, clock, report })
    const probe = (): Promise<unknown> => deadline.race(can.probe())
    this.#breaker = new CircuitBreaker(probe, () => this.#catchUp.recover(), report)
    // The first call makes the store begin to count the processes that share it.
    count()
  }

  /** Evaluates a check: by a remembered refusal, by the store, or by the local fallback. */
  evaluate(check: Check, failed = false, whole: Check = check): CheckResult | Promise<CheckResult> {
    if (this.#can.keepsPace) {
      const refusal = this.#refusals.find(check)
      if (refusal !== undefined) return storeResult(check, refusal)
    }
    if (failed) return this.#fallback.evaluate(whole)
    const open = this.#breaker.isOpen() || this.#strict.lastKnown.blocks.mayBeLost(check)
    if (open === true) return this.#fallback.evaluate(whole)
    if (open === false) return this.#callStore(check, whole)
    return open.then(() =>
      this.#breaker.isOpen() ? this.#fallback.evaluate(whole) : this.#callStore(check, whole),
    )
  }

  /** The time in microseconds: the store's own clock, else this process's estimate of it, which is never ahead. */
  now(): number {
    return this.clock.ifKnown() ?? nowMicros() - this.#strict.lastKnown.offset
  }

  ownTime(): number {
    return this.clock.ifKnown() ?? nowMicros()
  }

  /** A store that may be away is only asked by {@link evaluate}. One that never is needs nothing in front of it. */
  charge(): undefined {
    return undefined
  }

  /** An answer that comes too late is passed on as well. */
  ask(group: Group, heard: (evaluation: Evaluation | undefined, mayBeApplied?: boolean) => void): void {
    if (this.#breaker.isOpen() !== false) return heard(undefined)
    const call = this.#strict.lastKnown.nextCall()
    void this.#send(
      () => this.#strict.evaluate(group),
      (evaluation, sent) => {
        if (evaluation.allowed) this.#strict.lastKnown.remember(group, evaluation, call, sent)
        heard(evaluation)
      },
      error => heard(undefined, !wasNotApplied(error)),
    )
  }

  #callStore(check: Check, whole: Check): CheckResult | Promise<CheckResult> {
    const call = this.#strict.lastKnown.nextCall()
    // Set when the deadline passes. A reply after that is delivered to this result.
    let local: CheckResult | undefined
    return this.#send<CheckResult>(
      () => this.#strict.evaluate(check),
      (evaluation, sent) => {
        this.#strict.lastKnown.remember(check, evaluation, call, sent)
        this.#fallback.remember(check, evaluation)
        const result = storeResult(check, evaluation)
        if (hasCharged(check, evaluation)) local?.late?.deliver(result)
        return result
      },
      error => (local = this.#decideWithout(whole, error)),
    )
  }

  /**
   * Calls the store within the deadline: the one way to it. Every answer and every failure is noted.
   *
   * @param reply called with the answer, also if it comes after the deadline, and the instant at which the call was sent
   * @param failed called if the store fails, or has not answered at the deadline
   */
  #send<T>(
    call: () => Evaluation | Promise<Evaluation>,
    reply: (evaluation: Evaluation, sent: number) => T,
    failed: (error: unknown) => T,
  ): T | Promise<T> {
    const sent = nowMicros()
    const receive = (evaluation: Evaluation): T => {
      this.#observe(evaluation, sent)
      return reply(evaluation, sent)
    }
    const fail = (error: unknown): T => {
      if (this.#strict.failed(error)) this.#breaker.failed()
      return failed(error)
    }
    let answer: Evaluation | Promise<Evaluation>
    try {
      answer = call()
    } catch (error) {
      return fail(error)
    }
    return 'then' in answer ? this.#strict.deadline.follow(answer, receive, fail) : receive(answer)
  }

  /** Notes that the store has answered a call that was sent at `sent`. */
  #observe(evaluation: Evaluation, sent: number): void {
    this.#breaker.succeeded()
    this.#strict.outages.answered(sent)
    this.clock.observe(evaluation.now)
    // One failure does not open the breaker, so no recovery would write the charges of the fallback back.
    if (this.#catchUp.isDue) void this.#catchUp.writeBackNow()
  }

  correctLocally(group: Group, isOwed: boolean, idempotency?: IdempotencyDemand): Group | undefined {
    const demands = this.#fallback.correct(group, isOwed, idempotency)
    return demands.length === 0 ? undefined : { demands }
  }

  /**
   * A correction that the store certainly did not apply is queued until the store is back. Resolves to undefined when the
   * breaker is open, so that the store was not called.
   */
  async correctInStore(whole: Group): Promise<Evaluation | undefined> {
    const group = this.#fallback.absorb(whole)
    if (group.demands.length === 0) return undefined
    const open = this.#breaker.isOpen()
    if (open !== false) {
      if (open !== true) await open
      if (this.#breaker.isOpen() !== false) {
        this.#catchUp.queue(group)
        return undefined
      }
    }
    let isQueued = false
    const queue = (error: unknown): void => {
      if (isQueued || !wasNotApplied(error)) return
      isQueued = true
      this.#catchUp.queue(group)
    }
    const call = this.#strict.lastKnown.beginCall(group)
    return this.#send(
      () => {
        const answer = this.#strict.evaluate(group)
        // Also queue when the error comes after the deadline.
        if ('then' in answer) answer.catch(queue)
        return answer
      },
      (evaluation, sent) => {
        this.#strict.lastKnown.remember(group, evaluation, call, sent, true)
        return evaluation
      },
      error => {
        queue(error)
        throw storeError(error)
      },
    )
  }

  /** Applies a correction that the store had missed, and remembers the reply, even after the deadline. */
  #settleLater(group: Group): Evaluation | Promise<Evaluation> {
    const call = this.#strict.lastKnown.beginCall(group)
    const sent = nowMicros()
    const remember = (evaluation: Evaluation): Evaluation => {
      this.#strict.lastKnown.remember(group, evaluation, call, sent, true)
      return evaluation
    }
    const answer = this.#strict.evaluate(group)
    return 'then' in answer ? answer.then(remember) : remember(answer)
  }

  /** Callers that stand in line for a counter keep their order, and a capacity of them starts. */
  async reset(
    counters: readonly RuledCounter[],
    heard: (group: Group, evaluation: Evaluation) => void = () => {},
  ): Promise<number> {
    this.#fallback.forget(counters)
    const forgotten = this.#strict.reset(counters.filter(counter => !mayHaveLine(counter)))
    const reset = counters.filter(mayHaveLine).map(async counter => {
      const group = resetGroup(counter)
      this.#strict.lastKnown.forget([counter])
      const call = this.#strict.lastKnown.beginCall(group)
      const evaluation = await this.#send(
        () => this.#strict.evaluate(group),
        (found, sent) => {
          this.#strict.lastKnown.remember(group, found, call, sent)
          return found
        },
        error => {
          throw storeError(error)
        },
      )
      heard(group, evaluation)
      return (evaluation.states[0]?.length ?? 0) > 0
    })
    const [count, existed] = await Promise.all([forgotten, Promise.all(reset)])
    // Forget again, because the fallback may have decided meanwhile.
    this.#fallback.forget(counters)
    this.#catchUp.forget(counters)
    return count + existed.filter(Boolean).length
  }

  get calls(): Idler {
    return this.#strict.deadline
  }

  /** A limiter that closes calls it, because nobody tries again afterwards. */
  async writeBack(): Promise<void> {
    if (!this.#catchUp.isDue) return
    const { deadline } = this.#strict
    try {
      await deadline.race(this.#can.probe())
      await deadline.race(this.#catchUp.writeBackNow())
    } catch {
      // The store is still away. What it missed is lost with this process.
    }
  }

  #decideWithout(check: Check, error: unknown): CheckResult {
    if (wasNotApplied(error)) return this.#fallback.evaluate(check)
    // The store may have applied a call that timed out, or one whose reply was lost or could not be read.
    return this.#fallback.evaluate(check, false, new LateReply(error instanceof StoreTimeout))
  }
}

/**
 * Stands in front of a store, so that every request gets a decision: a deadline, a circuit breaker, decisions in this process while the
 * store is away, and what is written back when it returns.
 */
export function resilience(options: EvaluatorOptions): Evaluator {
  return new GuardedStore(options)
}
