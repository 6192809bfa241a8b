import type { Rule } from '../algorithms/index.ts'
import { UnderWay, type Idler } from '../base/idleness.ts'
import { nowMicros } from '../base/event-loop.ts'
import { isPromise } from '../base/promises.ts'
import { type Check, plainCheck } from '../check/check.ts'
import { type CheckResult, storeResult } from '../check/check-result.ts'
import { mayHaveLine, resetGroup, type Evaluator, type RuledCounter } from '../check/evaluator.ts'
import type { ChargeAnswer } from '../store/admitted.ts'
import { capabilitiesOf, type StoreCapabilities } from '../store/capabilities.ts'
import { checkedEvaluate, type Evaluate } from '../store/evaluation-check.ts'
import type { Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { type StoreClock, storeClockOf } from '../store/store-clock.ts'
import type { EvaluatorOptions } from '../charge/wings.ts'

/** Asks a synchronous store, which answers at once. If it throws, the check is refused or let pass, as `onStoreError` says. */
export class DirectEvaluator implements Evaluator {
  readonly clock: StoreClock
  readonly calls: Idler = new UnderWay()
  readonly instances = (): number => 1
  readonly #store: Store
  readonly #can: StoreCapabilities
  readonly #ask: Evaluate
  readonly #options: EvaluatorOptions

  constructor(options: EvaluatorOptions) {
    this.#options = options
    this.#store = options.store
    this.#can = capabilitiesOf(options.store)
    const { onAnswer } = options
    const hear =
      onAnswer && ((group: Group, found: Evaluation) => onAnswer(group, found, this.ask.bind(this)))
    this.#ask = checkedEvaluate(options.store, hear)
    this.clock = storeClockOf(options.store)
  }

  evaluate(check: Check): CheckResult {
    try {
      return storeResult(check, this.#evaluate(check))
    } catch (error) {
      const { onFailure, onStoreError } = this.#options
      onFailure(error, 'script')
      const degraded = onStoreError === 'open' ? 'open' : 'closed'
      const now = this.clock.now() * 1000
      return {
        check: plainCheck([], []),
        evaluation: { now, allowed: true, repeated: false, passes: [], starts: [], states: [], penalty: [] },
        degraded,
        closedPolicy: 0,
        late: undefined,
      }
    }
  }

  charge(subject: string, rule: Rule, cost: number): ChargeAnswer | undefined {
    if (!this.#can.chargesAlone()) return undefined
    try {
      return this.#store.charge!(subject, rule, cost)
    } catch {
      return undefined
    }
  }

  ask(group: Group, heard: (evaluation: Evaluation | undefined) => void): void {
    let evaluation: Evaluation | undefined
    try {
      evaluation = this.#evaluate(group)
    } catch (error) {
      this.#options.onFailure(error, 'script')
    }
    heard(evaluation)
  }

  async correctInStore(group: Group): Promise<Evaluation> {
    return this.#evaluate(group)
  }

  correctLocally(group: Group): Group {
    return group
  }

  async reset(
    counters: readonly RuledCounter[],
    heard: (group: Group, evaluation: Evaluation) => void,
  ): Promise<number> {
    let count = await this.#store.forget(counters.filter(counter => !mayHaveLine(counter)))
    for (const counter of counters.filter(mayHaveLine)) {
      const group = resetGroup(counter)
      const evaluation = this.#evaluate(group)
      heard(group, evaluation)
      if ((evaluation.states[0]?.length ?? 0) > 0) count++
    }
    return count
  }

  ownTime(): number {
    return this.clock.ifKnown() ?? nowMicros()
  }

  async writeBack(): Promise<void> {}

  #evaluate(group: Group): Evaluation {
    const answer = this.#ask(group)
    if (isPromise(answer)) throw new TypeError('A store that says isSynchronous returned a promise.')
    return answer
  }
}
