import { type Duration, parseDuration } from '../base/duration.ts'
import { describe } from '../base/errors.ts'
import type { WarnOnce } from '../base/warnings.ts'
import { nowMicros } from '../base/event-loop.ts'
import { isPromise } from '../base/promises.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import { type AskStore, checkedEvaluate, type Evaluate, type OnAnswer } from '../store/evaluation-check.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { type StoreClock, storeClockOf } from '../store/store-clock.ts'
import type { EvaluatorOptions } from '../charge/wings.ts'
import type { Notify } from '../check/telemetry.ts'
import { Deadline } from './deadline.ts'
import { type LastKnown, lastKnownOf } from './last-known.ts'
import { OutageReports } from './outage-reports.ts'
import { failureKind, failureText, storeError, StoreTimeout, unreadableCounter } from './circuit-breaker.ts'

/** Options of a {@link StrictStore}. */
type StrictStoreOptions = Omit<EvaluatorOptions, 'onStoreError' | 'instances'>

/** Calls a store within a deadline, and rejects with a coded error when the store cannot answer. */
export class StrictStore {
  readonly clock: StoreClock
  readonly deadline: Deadline
  readonly lastKnown: LastKnown
  readonly outages: OutageReports
  /** Evaluates a group without a deadline. */
  readonly evaluate: Evaluate
  readonly #options: StrictStoreOptions

  constructor(options: StrictStoreOptions) {
    const { store, timeout } = options
    this.#options = options
    this.clock = storeClockOf(store)
    this.deadline = new Deadline(timeout, () => new StoreTimeout(timeout))
    this.lastKnown = lastKnownOf(store)
    this.outages = new OutageReports(options)
    // The store has just answered, so whether it counts as away does not matter.
    const ask: AskStore = (group, heard) => {
      this.callOrThrow(() => this.evaluate(group)).then(heard, () => heard(undefined))
    }
    const { onAnswer } = options
    this.evaluate = checkedEvaluate(
      store,
      onAnswer && ((group, evaluation) => onAnswer(group, evaluation, ask)),
    )
  }

  /** Reports a failed call. Returns whether the store is at fault, and not a counter that cannot be read. */
  failed(error: unknown): boolean {
    const counter = unreadableCounter(error)
    if (counter === undefined) this.outages.failed(error)
    else {
      this.#options.onFailure(error, failureKind(error))
      this.#options.warn({
        code: 'HALT_W_STORE_SCRIPT',
        message: `What the store has of the counter ${describe(counter)} cannot be read: ${failureText(error)}.`,
        fix: 'Update Halt in all processes, or reset this client. Until then onStoreError decides its requests, and no others.',
      })
    }
    return counter === undefined
  }

  /** Runs a call to the store. Rejects with `HALT_E_STORE`. */
  async callOrThrow<T>(call: () => T | Promise<T>): Promise<T> {
    const sent = nowMicros()
    try {
      const result = call()
      const value = isPromise(result) ? await this.deadline.race(result as Promise<T>) : result
      this.outages.answered(sent)
      return value
    } catch (error) {
      this.failed(error)
      throw storeError(error)
    }
  }

  /** Evaluates a group, as {@link callOrThrow} does, and remembers the result for every limiter of the store. */
  evaluateOrThrow(group: Group): Promise<Evaluation> {
    return this.callOrThrow(() => {
      const call = this.lastKnown.beginCall(group)
      const answer = this.evaluate(group)
      if (!('then' in answer)) return answer
      const sent = nowMicros()
      return answer.then(evaluation => {
        this.clock.observe(evaluation.now)
        this.lastKnown.remember(group, evaluation, call, sent)
        return evaluation
      })
    })
  }

  /** Forgets counters in the store and their last known state. Resolves to how many of them the store had. */
  async reset(counters: readonly CounterId[]): Promise<number> {
    this.lastKnown.forget(counters)
    return counters.length === 0 ? 0 : this.callOrThrow(() => this.#options.store.forget(counters))
  }
}

/** Makes the store of a manager, which waits longer than a limiter and has no fallback. */
export function strictStore(
  store: Store,
  timeout: Duration | undefined,
  warn: WarnOnce,
  notify: Notify,
  onAnswer?: OnAnswer,
): StrictStore {
  const { kind } = capabilitiesOf(store)
  return new StrictStore({
    store,
    timeout: parseDuration(timeout ?? '1s', 'storeTimeout') / 1000,
    warn,
    onAnswer,
    onFailure: (error, failure) => notify('onStoreError', error, { failure, store: kind }),
    onRecovery: recovery => notify('onStoreRecovered', { ...recovery, store: kind }),
  })
}
