import { type Duration, parseDuration } from '../duration.ts'
import { HaltError, type Warn } from '../errors.ts'
import type { OnStoreError } from '../policy.ts'
import type { Question } from '../question.ts'
import { StoreClock } from '../store-clock.ts'
import type { Demand, Group, Store, StoreFailure, Verdict } from '../store/contract.ts'
import type { Notify } from '../telemetry.ts'
import { isPromise } from '../timers.ts'
import { Breaker } from './breaker.ts'
import { Deadline } from './deadline.ts'
import { type Denials, denialsOf } from './denials.ts'
import { Fallback, type LocalAnswer } from './fallback.ts'
import { isAnswer, kindOf, StoreTimeout, textOf, WARNINGS } from './store-failure.ts'

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
    const probe = (): Promise<unknown> => this.#deadline.race(Promise.resolve(store.probe?.()))
    this.#breaker = new Breaker(probe, () => this.#mend())
    if (!substitutes) return
    // Who asks is counted from now on.
    count()
    // It may have come back empty before anybody noticed that it was away.
    store.onReconnect?.(() => {
      if (this.#fallback.holds) this.#breaker.check()
    })
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
    return this.#deadline.follow<Verdict, Judgement>(
      verdict,
      found => this.#hear(question, found),
      (error: unknown) => this.#fail(question, error),
    )
  }

  // Also of an answer that comes after the deadline: it corrects what is remembered, and is charged only once.
  #hear(question: Question, verdict: Verdict): Verdict {
    this.#breaker.succeeded()
    this.clock.hear(verdict.now)
    // A single failure, which opened nothing: nobody else would come to write it back.
    if (this.#fallback.debts.size > 0) this.#payBack()
    if (this.#store.keepsPace === true) this.#denials.keep(question, verdict)
    this.#fallback.remember(question, verdict)
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

  /** Forgets what was remembered of some keys: their counters were reset or settled. */
  forget(cells: readonly { subject: string; cell: string }[]): void {
    this.#denials.forget(cells)
    this.#fallback.forget(cells)
  }

  #fail(question: Question, error: unknown): Judgement {
    this.#breaker.failed()
    this.#report(error)
    return this.#fallback.decide(question)
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

  #payBack(): void {
    for (const demand of this.#owed()) void this.#pay(demand).catch((error: unknown) => this.#report(error))
  }

  #owed(): Demand[] {
    return this.#fallback.debts.take(this.clock.now() * 1000)
  }

  // Once, unless the store has said that it did not: what got no answer may have been applied, and is not charged again.
  async #pay(demand: Demand): Promise<void> {
    try {
      await this.#store.evaluate({ demands: [demand] })
    } catch (error) {
      if (isAnswer(error)) this.#fallback.debts.add(demand)
      throw error
    }
  }

  // A store that came back empty has forgotten who was refused, and what quotas took here meanwhile.
  async #mend(): Promise<void> {
    const refused = this.#fallback.refused()
    await this.#deadline.race(
      (async () => {
        const answers = await settled(refused.map(async ({ peek }) => this.#store.evaluate(peek)))
        const lost = refused.filter((_, i) => answers[i]?.allowed === true)
        // Taken out only now: what fails before this is tried again at the next probe.
        const payments = this.#owed().map(demand => this.#pay(demand))
        const restored = lost.map(async ({ restore }) => this.#store.evaluate(restore))
        await settled<unknown>([...payments, ...restored])
      })(),
    )
  }
}

/** What came of calls that may fail each by itself, as on a cluster of which a node is away; rejects when all failed. */
async function settled<T>(calls: readonly Promise<T>[]): Promise<(T | undefined)[]> {
  const results = await Promise.allSettled(calls)
  const failed = results.filter(result => result.status === 'rejected')
  if (failed.length > 0 && failed.length === calls.length) throw failed[0]?.reason as Error
  return results.map(result => (result.status === 'fulfilled' ? result.value : undefined))
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
