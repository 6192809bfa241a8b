import { type Duration, parseDuration } from '../duration.ts'
import { HaltError, type Warn } from '../errors.ts'
import type { OnStoreError } from '../policy.ts'
import type { Question } from '../question.ts'
import { StoreClock } from '../store-clock.ts'
import { cellsOf } from '../settlement.ts'
import type { Cell, Group, Store, StoreFailure, Verdict } from '../store/contract.ts'
import { hasCharged } from '../store/decide.ts'
import type { Notify } from '../telemetry.ts'
import { isPromise } from '../timers.ts'
import { Breaker } from './breaker.ts'
import { Deadline } from './deadline.ts'
import { type Denials, denialsOf } from './denials.ts'
import { Fallback, type LocalAnswer } from './fallback.ts'
import { Late } from './late.ts'
import { hearReconnections } from './reconnections.ts'
import { Repair } from './repair.ts'
import { kindOf, StoreTimeout, textOf, WARNINGS } from './store-failure.ts'

/** What a question got: the store's verdict, or what decided in its place. */
export type Judgement = Verdict | LocalAnswer

/** What a judge needs of its limiter. */
export interface JudgeOptions {
  readonly store: Store
  /** Milliseconds. */
  readonly timeout: number
  readonly onStoreError: OnStoreError
  readonly instances: number | 'auto'
  readonly warn: Warn
  /** Told of every failure, and of how it was met. */
  readonly onFailure: (error: unknown, failure: StoreFailure) => void
  /** Whether there is a substitute, which remembers what the store said. Default true. */
  readonly substitutes?: boolean
}

/**
 * Asks the store within the deadline; when it cannot answer, what each policy wants decides instead.
 *
 * A call that timed out is never repeated: it may have been applied. Its late answer corrects what is remembered.
 */
export class Judge {
  /** The store's. */
  readonly clock: StoreClock
  readonly #store: Store
  readonly #deadline: Deadline
  readonly #breaker: Breaker
  readonly #fallback: Fallback
  readonly #denials: Denials
  readonly #repair: Repair
  readonly #warn: Warn
  readonly #onFailure: JudgeOptions['onFailure']

  constructor(options: JudgeOptions) {
    const { store, timeout, onStoreError, instances, warn, onFailure, substitutes = true } = options
    this.#store = store
    this.#warn = warn
    this.clock = new StoreClock(store)
    this.#denials = denialsOf(store)
    this.#onFailure = onFailure
    const late = (): Error => new StoreTimeout(timeout)
    this.#deadline = new Deadline(timeout, late)
    const count = (): number => (instances === 'auto' ? (store.instances?.() ?? 1) : instances)
    this.#fallback = new Fallback(onStoreError, count)
    const { clock } = this
    const [deadline, fallback] = [this.#deadline, this.#fallback]
    this.#repair = new Repair({ store, fallback, deadline, clock, report: error => this.#report(error) })
    const probe = (): Promise<unknown> => deadline.race(Promise.resolve(store.probe?.()))
    this.#breaker = new Breaker(probe, () => this.#repair.mend())
    if (!substitutes) return
    // Who asks is counted from now on.
    count()
    hearReconnections(store, this)
  }

  /** The store opened a connection anew: it may have come back empty before anybody noticed that it was away. */
  reconnected(): void {
    if (this.#fallback.holds) this.#breaker.check()
  }

  /** @param failed whether the store has failed the request already: it waits only once, however many guards it passes */
  ask(question: Question, failed = false): Judgement | Promise<Judgement> {
    const denied = this.#denials.find(question)
    if (denied !== undefined) return denied
    if (failed) return this.#fallback.decide(question)
    const open = this.#breaker.isOpen()
    if (open === true) return this.#fallback.decide(question)
    if (open === false) return this.#evaluate(question)
    return open.then(() =>
      this.#breaker.isOpen() ? this.#fallback.decide(question) : this.#evaluate(question),
    )
  }

  #evaluate(question: Question): Judgement | Promise<Judgement> {
    let verdict: Verdict | Promise<Verdict>
    try {
      verdict = this.#store.evaluate(question)
    } catch (error) {
      return this.#fail(question, error)
    }
    if (!('then' in verdict)) {
      this.#breaker.succeeded()
      return verdict
    }
    let local: LocalAnswer | undefined
    return this.#deadline.follow<Verdict, Judgement>(
      verdict,
      found => this.#hear(question, found, local),
      (error: unknown) => (local = this.#fail(question, error)),
    )
  }

  /** @param local what decided meanwhile, where the answer comes after the deadline */
  #hear(question: Question, verdict: Verdict, local: LocalAnswer | undefined): Verdict {
    this.#breaker.succeeded()
    this.clock.hear(verdict.now)
    // A single failure, which opened nothing: nobody else would come to write it back.
    if (this.#fallback.debts.size > 0) this.#repair.payBack()
    if (this.#store.keepsPace === true) this.#denials.keep(question, verdict)
    this.#fallback.remember(question, verdict)
    if (hasCharged(question, verdict)) local?.late?.hear({ question, verdict })
    return verdict
  }

  /** Asks the store without a substitute: for settlements and managers. Rejects with a coded error. */
  async insist<T>(call: () => T | Promise<T>): Promise<T> {
    try {
      const result = call()
      return isPromise(result) ? await this.#deadline.race(result as Promise<T>) : result
    } catch (error) {
      this.#report(error)
      const { fix = 'See that it is reachable.' } = error as { fix?: string }
      throw new HaltError('HALT_E_STORE', `The store did not do it: ${textOf(error)}.`, fix, { cause: error })
    }
  }

  /** Corrects what was charged without the store; gives what only the store can correct. */
  correct(group: Group): Group | undefined {
    const demands = this.#fallback.correct(group)
    return demands.length === 0 ? undefined : { demands }
  }

  /** Corrects counters in the store, and what is remembered of them. Rejects as {@link insist} does: then nothing was changed. */
  async settle(group: Group): Promise<Verdict> {
    const cells = cellsOf(group)
    this.#denials.forget(cells)
    const verdict = await this.insist(() => this.#store.evaluate(group))
    // Once more: an answer that was on its way knows nothing of the change.
    this.#denials.forget(cells)
    this.#fallback.memory.adjust(group, verdict)
    return verdict
  }

  /**
   * Forgets counters, in the store and what is remembered of them; resolves to how many the store had. Rejects as
   * {@link insist} does.
   */
  async reset(cells: readonly Cell[]): Promise<number> {
    this.forget(cells)
    const count = await this.insist(() => this.#store.forget(cells))
    this.forget(cells)
    return count
  }

  /** Forgets what is remembered of some keys: others have changed their counters. */
  forget(cells: readonly Cell[]): void {
    this.#denials.forget(cells)
    this.#fallback.forget(cells)
  }

  #fail(question: Question, error: unknown): LocalAnswer {
    this.#breaker.failed()
    this.#report(error)
    // What got no answer may have been applied, or may yet be.
    if (!(error instanceof StoreTimeout)) return this.#fallback.decide(question)
    return { ...this.#fallback.decide(question, false), late: new Late() }
  }

  #report(error: unknown): void {
    const failure = kindOf(error)
    const fix =
      failure === 'misconfigured' || failure === 'script'
        ? 'Call limiter.ready() to see what the store lacks.'
        : 'Policies decide by their onStoreError until it answers again.'
    this.#warn({ code: WARNINGS[failure], message: `The store failed: ${textOf(error)}.`, fix })
    this.#onFailure(error, failure)
  }
}

/** A judge without a substitute, for quotas and penalties by hand: {@link Judge.insist} within a longer deadline. */
export function strictJudge(store: Store, timeout: Duration | undefined, warn: Warn, notify: Notify): Judge {
  return new Judge({
    store,
    timeout: parseDuration(timeout ?? '1s', 'storeTimeout') / 1000,
    onStoreError: 'closed',
    instances: 1,
    warn,
    substitutes: false,
    onFailure: (error, failure) => notify('onStoreError', error, { failure, store: store.kind ?? 'custom' }),
  })
}
