import { type Duration, parseDuration } from '../base/duration.ts'
import { HaltError } from '../base/errors.ts'
import type { WarnOnce } from '../base/warnings.ts'
import type { OnStoreError } from '../policy/policy.ts'
import type { Check } from '../check/check.ts'
import { StoreClock } from '../store/store-clock.ts'
import type { CounterId, Group, Store, Evaluation } from '../store/contract.ts'
import { hasCharged } from '../store/decide.ts'
import { StoreMisread } from '../store/evaluation-check.ts'
import type { Notify } from '../telemetry/telemetry.ts'
import { isPromise } from '../base/promises.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { Deadline } from './deadline.ts'
import { RefusalCache } from './refusal-cache.ts'
import { type CheckResult, storeResult } from '../check/check-result.ts'
import { LateReply } from '../check/check-result.ts'
import { Fallback } from './fallback.ts'
import { hearReconnections } from './reconnections.ts'
import { type LastKnown, lastKnownOf } from './last-known.ts'
import { type OutageParts, Outages } from './outages.ts'
import { nowMicros } from '../base/process-clock.ts'
import { Recovery } from './recovery.ts'
import { counting, type Evaluate, evaluating } from './store-calls.ts'
import { isUndone, StoreTimeout, textOf } from './store-failure.ts'

/** What a judge needs of its limiter. */
export interface GuardedStoreOptions {
  readonly store: Store
  /** Milliseconds. */
  readonly timeout: number
  readonly onStoreError: OnStoreError
  readonly instances: number | 'auto'
  readonly warn: WarnOnce
  /** Told of every failure, and of how it was met. */
  readonly onFailure: OutageParts['onFailure']
  /** Told of the end of every outage that was warned of. */
  readonly onRecovery: OutageParts['onRecovery']
  /** Whether there is a substitute, which decides while the store cannot. Default true. */
  readonly substitutes?: boolean
}

/**
 * Asks the store within the deadline; when it cannot answer, what each policy wants decides instead.
 *
 * A call that timed out is never repeated: it may have been applied. Its late answer corrects what is remembered.
 */
export class GuardedStore {
  /** The store's. */
  readonly clock: StoreClock
  readonly #store: Store
  readonly #evaluate: Evaluate
  readonly #deadline: Deadline
  readonly #breaker: CircuitBreaker
  readonly #lastKnown: LastKnown
  readonly #refusals: RefusalCache
  readonly #fallback: Fallback
  readonly #recovery: Recovery
  readonly #outages: Outages

  constructor(options: GuardedStoreOptions) {
    const { store, timeout, onStoreError, instances, warn, substitutes = true } = options
    this.#store = store
    this.#evaluate = evaluating(store)
    this.#outages = new Outages(options)
    this.clock = new StoreClock(store)
    this.#lastKnown = lastKnownOf(store)
    this.#refusals = new RefusalCache(this.#lastKnown, this.clock)
    this.#deadline = new Deadline(timeout, () => new StoreTimeout(timeout))
    const count = instances === 'auto' ? counting(store, warn) : (): number => instances
    this.#fallback = new Fallback(onStoreError, count, this.#lastKnown)
    const { clock } = this
    const [deadline, fallback, evaluate] = [this.#deadline, this.#fallback, this.#evaluate]
    const settle: Evaluate = group => this.#settle(group)
    const report = (error: unknown): void => this.#outages.failed(error)
    this.#recovery = new Recovery({ store, evaluate, settle, fallback, deadline, clock, report })
    const probe = (): Promise<unknown> => deadline.race(Promise.resolve(store.probe?.()))
    this.#breaker = new CircuitBreaker(probe, () => this.#recovery.mend())
    if (!substitutes) return
    // Who asks is counted from now on.
    count()
    hearReconnections(store, this)
  }

  /** The store opened a connection anew: it may have come back empty before anybody noticed that it was away. */
  reconnected(): void {
    if (this.#fallback.holds) this.#breaker.check()
  }

  /**
   * Gives the result of a check: the store's, a remembered refusal, or what this process decides in the store's place.
   *
   * @param failed whether the store has failed this request already: a request waits for the store only once
   */
  evaluate(check: Check, failed = false): CheckResult | Promise<CheckResult> {
    if (this.#store.keepsPace === true) {
      const refusal = this.#refusals.find(check)
      if (refusal !== undefined) return storeResult(check, refusal)
    }
    if (failed) return this.#fallback.evaluate(check)
    const open = this.#breaker.isOpen()
    if (open === true) return this.#fallback.evaluate(check)
    if (open === false) return this.#askStore(check)
    return open.then(() => (this.#breaker.isOpen() ? this.#fallback.evaluate(check) : this.#askStore(check)))
  }

  #askStore(check: Check): CheckResult | Promise<CheckResult> {
    let evaluation: Evaluation | Promise<Evaluation>
    try {
      evaluation = this.#evaluate(check)
    } catch (error) {
      return this.#fail(check, error)
    }
    if (!('then' in evaluation)) {
      this.#breaker.succeeded()
      if (this.#outages.isOn) this.#outages.answered(nowMicros())
      return storeResult(check, evaluation)
    }
    const asked = this.#lastKnown.next()
    const sent = nowMicros()
    let local: CheckResult | undefined
    return this.#deadline.follow<Evaluation, CheckResult>(
      evaluation,
      found => this.#hear(check, found, asked, sent, local),
      (error: unknown) => (local = this.#fail(check, error)),
    )
  }

  /** @param local what decided meanwhile, where the answer comes after the deadline */
  #hear(
    check: Check,
    evaluation: Evaluation,
    asked: number,
    sent: number,
    local: CheckResult | undefined,
  ): CheckResult {
    this.#breaker.succeeded()
    if (this.#outages.isOn) this.#outages.answered(sent)
    this.clock.hear(evaluation.now)
    // A single failure, which opened nothing: nobody else would come to write it back.
    if (this.#recovery.isDue) this.#recovery.payBack()
    this.#lastKnown.remember(check, evaluation, asked, sent, this.#fallback.refused)
    this.#fallback.remember(check, evaluation)
    const result = storeResult(check, evaluation)
    if (hasCharged(check, evaluation)) local?.late?.hear(result)
    return result
  }

  /** Asks the store without a substitute: for managers. Rejects with a coded error. */
  async callOrThrow<T>(call: () => T | Promise<T>): Promise<T> {
    const sent = nowMicros()
    try {
      const result = call()
      const value = isPromise(result) ? await this.#deadline.race(result as Promise<T>) : result
      this.#outages.answered(sent)
      return value
    } catch (error) {
      this.#outages.failed(error)
      const { fix = 'See that it is reachable.' } = error as { fix?: string }
      throw new HaltError('HALT_E_STORE', `The store did not do it: ${textOf(error)}.`, fix, { cause: error })
    }
  }

  /** Asks the store for a verdict, as {@link callOrThrow} does, and remembers it for all who ask the store. */
  tell(group: Group): Promise<Evaluation> {
    return this.callOrThrow(() => {
      const asked = this.#lastKnown.asks(group)
      const answer = this.#evaluate(group)
      if (!('then' in answer)) return answer
      const sent = nowMicros()
      return answer.then(evaluation => {
        this.clock.hear(evaluation.now)
        this.#lastKnown.remember(group, evaluation, asked, sent)
        return evaluation
      })
    })
  }

  /** Corrects what was charged without the store; gives what only the store can correct. */
  correct(group: Group): Group | undefined {
    const demands = this.#fallback.correct(group)
    return demands.length === 0 ? undefined : { demands }
  }

  /**
   * Corrects counters in the store, and what is remembered of them. Rejects as {@link callOrThrow} does. What the store has
   * certainly not done is kept until it is back; undefined where it is known to be away, and is not asked.
   */
  async settle(group: Group): Promise<Evaluation | undefined> {
    const open = this.#breaker.isOpen()
    if (open !== false) {
      if (open !== true) await open
      if (this.#breaker.isOpen() !== false) {
        this.#recovery.owe(group)
        return undefined
      }
    }
    const owe = (error: unknown): void => {
      if (isUndone(error)) this.#recovery.owe(group)
    }
    return this.callOrThrow(() => {
      try {
        const answer = this.#settle(group)
        // Heard after the deadline, too.
        if ('then' in answer) answer.catch(owe)
        return answer
      } catch (error) {
        owe(error)
        throw error
      }
    })
  }

  #settle(group: Group): Evaluation | Promise<Evaluation> {
    const asked = this.#lastKnown.asks(group)
    const answer = this.#evaluate(group)
    if (!('then' in answer)) return answer
    const sent = nowMicros()
    return answer.then(evaluation => {
      this.#lastKnown.adjust(group, evaluation, asked, sent, this.#fallback.refused)
      return evaluation
    })
  }

  /**
   * Forgets counters, in the store and what is remembered of them; resolves to how many the store had. Rejects as
   * {@link callOrThrow} does.
   */
  async reset(counters: readonly CounterId[]): Promise<number> {
    this.#lastKnown.forget(counters)
    this.#fallback.forget(counters)
    const count = await this.callOrThrow(() => this.#store.forget(counters))
    // Again: meanwhile it may have decided here.
    this.#fallback.forget(counters)
    return count
  }

  #fail(check: Check, error: unknown): CheckResult {
    this.#breaker.failed()
    this.#outages.failed(error)
    // What got no answer, or one that nobody can read, may have been applied, or may yet be.
    if (error instanceof StoreTimeout) return this.#fallback.evaluate(check, false, new LateReply())
    return this.#fallback.evaluate(check, !(error instanceof StoreMisread))
  }
}

/** A judge without a substitute, for quotas and penalties by hand: {@link GuardedStore.callOrThrow} within a longer deadline. */
export function strictStore(
  store: Store,
  timeout: Duration | undefined,
  warn: WarnOnce,
  notify: Notify,
): GuardedStore {
  const { kind = 'custom' } = store
  return new GuardedStore({
    store,
    timeout: parseDuration(timeout ?? '1s', 'storeTimeout') / 1000,
    onStoreError: 'closed',
    instances: 1,
    warn,
    substitutes: false,
    onFailure: (error, failure) => notify('onStoreError', error, { failure, store: kind }),
    onRecovery: recovery => notify('onStoreRecovered', { ...recovery, store: kind }),
  })
}
