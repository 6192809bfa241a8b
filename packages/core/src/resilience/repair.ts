import type { Group, Store } from '../store/contract.ts'
import type { StoreClock } from '../store-clock.ts'
import type { Deadline } from './deadline.ts'
import type { Fallback } from './fallback.ts'
import { isAnswer } from './store-failure.ts'

/** What a repair needs of its judge. */
export interface RepairParts {
  readonly store: Store
  readonly fallback: Fallback
  readonly deadline: Deadline
  readonly clock: StoreClock
  readonly report: (error: unknown) => void
}

/** Tells a store that is back what it missed: what quotas took here meanwhile, and who was refused where it came back empty. */
export class Repair {
  readonly #parts: RepairParts

  constructor(parts: RepairParts) {
    this.#parts = parts
  }

  /** Writes back what is owed, for nobody to wait for. */
  payBack(): void {
    for (const group of this.#owed()) void this.#pay(group).catch(this.#parts.report)
  }

  /** Does all of it, within the deadline. */
  async mend(): Promise<void> {
    const { store, fallback, deadline } = this.#parts
    const refused = fallback.memory.refused()
    await deadline.race(
      (async () => {
        const answers = await settled(refused.map(async ({ peek }) => store.evaluate(peek)))
        const lost = refused.filter((_, i) => answers[i]?.allowed === true)
        // Taken out only now: what fails before this is tried again at the next probe.
        const payments = this.#owed().map(group => this.#pay(group))
        const restored = lost.map(async ({ restore }) => store.evaluate(restore))
        await settled<unknown>([...payments, ...restored])
      })(),
    )
  }

  #owed(): Group[] {
    const { fallback, clock } = this.#parts
    return fallback.debts.take(clock.now() * 1000)
  }

  // Once, unless the store has said that it did not: what got no answer may have been applied, and is not charged again.
  async #pay(group: Group): Promise<void> {
    try {
      await this.#parts.store.evaluate(group)
    } catch (error) {
      if (isAnswer(error)) this.#parts.fallback.debts.add(group)
      throw error
    }
  }
}

/** What came of calls that may fail each by itself, as on a cluster of which a node is away; rejects when all failed. */
async function settled<T>(calls: readonly Promise<T>[]): Promise<(T | undefined)[]> {
  const results = await Promise.allSettled(calls)
  const failed = results.filter(result => result.status === 'rejected')
  if (failed.length > 0 && failed.length === calls.length) throw failed[0]?.reason as Error
  return results.map(result => (result.status === 'fulfilled' ? result.value : undefined))
}
