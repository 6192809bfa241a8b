import type { Group, StoreFailure } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { countersOf, keysOf, keysOfLooks } from './key-value.ts'
import { notApplied } from './not-applied.ts'
import { Batcher, type BatchRules } from './remote/batcher.ts'

/** What became of a transaction: the answer to each of its groups, or an error. */
export type Outcome =
  | { readonly answers: readonly (Evaluation | Error)[] }
  | {
      readonly error: Error
      /** Whether the database certainly kept nothing, though it was there: another transaction of fewer counters may succeed. */
      readonly mayPassAlone: boolean
    }

// A transaction holds the locks of all its counters.
const MOST_COUNTERS = 200
// So long a counter that could not be locked stays aside after the last attempt, in milliseconds.
const HELD_MS = 5_000

/**
 * Decides the groups that wait at the same time in one transaction.
 *
 * A transaction that fails is made again, group by group, where the database certainly kept nothing. The counters of a group that fails
 * alone, such as one whose row somebody else has locked, are held: for five seconds, or until a group with them passes, the groups that
 * need them have transactions of their own. So a held row delays the groups beside it once, by the time for which the database waits for
 * a lock, and no longer.
 */
export class SharedTransactions {
  readonly #decide: (groups: readonly Group[]) => Promise<Outcome>
  readonly #together: Batcher
  readonly #aside: Batcher
  /** The instants until which counters are held, by their keys. */
  readonly #held = new Map<string, number>()

  /**
   * @param decide decides groups in one transaction. It never rejects
   * @param most the most transactions at once, 1 or more. Of several, one is left to the groups with held counters
   */
  constructor(decide: (groups: readonly Group[]) => Promise<Outcome>, most: number) {
    this.#decide = decide
    const send = (groups: readonly Group[]): Promise<readonly (Evaluation | Error)[]> => this.#send(groups)
    this.#together = new Batcher(send, rulesOf(Math.max(1, most - 1)))
    this.#aside = most === 1 ? this.#together : new Batcher(send, rulesOf(1))
  }

  add(group: Group): Promise<Evaluation> {
    const isAside = this.#held.size > 0 && keysOf(group).some(key => this.#held.has(key))
    return (isAside ? this.#aside : this.#together).add(group)
  }

  async #send(groups: readonly Group[]): Promise<readonly (Evaluation | Error)[]> {
    this.#letGo()
    const outcome = await this.#decide(groups)
    if ('answers' in outcome) {
      if (this.#held.size > 0) this.#passed(groups)
      return outcome.answers
    }
    const { error, mayPassAlone } = outcome
    if (!mayPassAlone || groups.length === 1) {
      if (mayPassAlone) this.#hold(groups)
      return groups.map(() => error)
    }
    return this.#sendEach(groups)
  }

  /** Decides each group alone. If the database is gone meanwhile, the rest has the error of the first that found out. */
  async #sendEach(groups: readonly Group[]): Promise<readonly (Evaluation | Error)[]> {
    const answers: (Evaluation | Error)[] = []
    const failed = new Map<string, Error>()
    let gone: Error | undefined
    for (const group of groups) {
      const keys = keysOf(group)
      // To wait again for a lock that this transaction has just waited for would only delay the others.
      const known = gone ?? keys.map(key => failed.get(key)).find(error => error !== undefined)
      if (known !== undefined) {
        // In the error of another group the commit may be in doubt. This one was never asked.
        answers.push(notApplied(known))
        continue
      }
      const outcome = await this.#decide([group])
      if ('answers' in outcome) {
        this.#passed([group])
        answers.push(...outcome.answers)
        continue
      }
      answers.push(outcome.error)
      if (!outcome.mayPassAlone) gone = outcome.error
      else {
        for (const key of keys) failed.set(key, outcome.error)
        this.#hold([group])
      }
    }
    return answers
  }

  #hold(groups: readonly Group[]): void {
    for (const key of keysOf(...groups)) this.#held.set(key, performance.now() + HELD_MS)
  }

  #passed(groups: readonly Group[]): void {
    // A look passes without the lock.
    const looks = keysOfLooks(groups)
    for (const key of keysOf(...groups)) if (!looks.has(key)) this.#held.delete(key)
  }

  #letGo(): void {
    const now = performance.now()
    for (const [key, until] of this.#held) if (until <= now) this.#held.delete(key)
  }
}

function rulesOf(mostCalls: number): BatchRules {
  return {
    loadOf: group => Math.max(1, countersOf(group)),
    maxLoad: MOST_COUNTERS,
    // One transaction at a time takes all that wait.
    minParallel: mostCalls === 1 ? Number.POSITIVE_INFINITY : MOST_COUNTERS / 4,
    isWorthCall: () => true,
    mostCalls,
  }
}

/** The failures of a database that would fail every group. */
const OF_ALL: readonly unknown[] = ['unavailable', 'full', 'misconfigured'] satisfies readonly StoreFailure[]

/** Whether an error may be about some of the counters only. */
export function mayBeOfOne(error: unknown): boolean {
  return !OF_ALL.includes(((error ?? {}) as { failure?: unknown }).failure)
}
