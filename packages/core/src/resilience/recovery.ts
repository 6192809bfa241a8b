import type { Group, Store } from '../store/contract.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { afterQuietly } from '../base/event-loop.ts'
import { PendingCorrections } from './pending-corrections.ts'
import type { Deadline } from './deadline.ts'
import type { Fallback } from './fallback.ts'
import { nowMicros } from '../base/process-clock.ts'
import type { Evaluate } from './store-calls.ts'
import { wasNotApplied } from './store-failure.ts'

/** What a repair needs of its judge. */
export interface RecoveryParts {
  readonly store: Store
  readonly evaluate: Evaluate
  /** Makes a correction, and remembers the answer, however late it is. */
  readonly settle: Evaluate
  readonly fallback: Fallback
  readonly deadline: Deadline
  readonly clock: StoreClock
  readonly report: (error: unknown) => void
}

const RETRY_MS = 500

/**
 * Tells a store that is back what it missed: what quotas took here meanwhile, corrections that it has certainly not made, and
 * who was refused where it came back empty.
 */
export class Recovery {
  readonly #parts: RecoveryParts
  readonly #corrections = new PendingCorrections()
  #isWaiting = false

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  /** Whether there is anything to write back. */
  get isDue(): boolean {
    return this.#corrections.size > 0 || this.#parts.fallback.writeBack.size > 0
  }

  /** Keeps a correction that the store has certainly not made, and asks for it again soon, whether requests come or not. */
  queue(group: Group): void {
    this.#corrections.add(group, nowMicros())
    if (this.#isWaiting) return
    this.#isWaiting = true
    afterQuietly(RETRY_MS, () => void this.#retry())
  }

  /** Writes back what is owed, for nobody to wait for. */
  writeBackSoon(): void {
    for (const group of this.#takeWriteBacks()) void this.#writeBack(group).catch(this.#parts.report)
    this.#applyCorrections()
  }

  /** Does all of it, within the deadline. */
  async recover(): Promise<void> {
    const { evaluate, fallback, deadline } = this.#parts
    const refused = fallback.refused.groups()
    await deadline.race(
      (async () => {
        const answers = await settled(refused.map(async ({ peek }) => evaluate(peek)))
        const lost = refused.filter((_, i) => answers[i]?.allowed === true)
        // Taken out only now: what fails before this is tried again at the next probe.
        const writeBacks = this.#takeWriteBacks().map(group => this.#writeBack(group))
        const restored = lost.map(async ({ restore }) => evaluate(restore))
        this.#applyCorrections()
        await settled<unknown>([...writeBacks, ...restored])
      })(),
    )
  }

  #takeWriteBacks(): Group[] {
    const { fallback, clock } = this.#parts
    return fallback.writeBack.take(clock.now() * 1000)
  }

  // Once, unless the store has certainly not done it: what got no answer may have been applied, and is not charged again.
  async #writeBack(group: Group): Promise<void> {
    try {
      await this.#parts.settle(group)
    } catch (error) {
      if (wasNotApplied(error)) this.#parts.fallback.writeBack.add(group)
      throw error
    }
  }

  #applyCorrections(): void {
    if (this.#corrections.size === 0) return
    const now = this.#parts.clock.now() * 1000
    for (const group of this.#corrections.take(nowMicros(), now)) void this.#applyCorrection(group)
  }

  async #applyCorrection(group: Group): Promise<void> {
    try {
      await this.#parts.settle(group)
    } catch (error) {
      if (wasNotApplied(error)) this.queue(group)
      this.#parts.report(error)
    }
  }

  async #retry(): Promise<void> {
    const { store, deadline } = this.#parts
    try {
      await deadline.race(Promise.resolve(store.probe?.()))
      this.#isWaiting = false
      this.#applyCorrections()
    } catch {
      this.#corrections.dropLate(nowMicros())
      if (this.#corrections.size > 0) afterQuietly(RETRY_MS, () => void this.#retry())
      else this.#isWaiting = false
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
