import { capabilitiesOf } from '../store/capabilities.ts'
import { keyOf } from '../store/counter-key.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { afterQuietly } from '../base/event-loop.ts'
import { PendingCorrections } from './pending-corrections.ts'
import type { Deadline } from './deadline.ts'
import type { Fallback } from './fallback.ts'
import type { LastKnown } from './last-known.ts'
import { nowMicros } from '../base/process-clock.ts'
import type { Evaluate } from '../store/checked-evaluate.ts'
import { wasNotApplied } from './store-failure.ts'

/** The parts of a guarded store that its catching up uses. */
export interface CatchUpParts {
  readonly store: Store
  readonly evaluate: Evaluate
  /** Applies a correction and remembers the reply, even after the deadline. */
  readonly settle: Evaluate
  readonly fallback: Fallback
  readonly lastKnown: LastKnown
  readonly deadline: Deadline
  readonly clock: StoreClock
  readonly report: (error: unknown) => void
}

const RETRY_MS = 500

/**
 * Brings a store that is back up to date. It writes back the local charges of quotas, applies the corrections that the store
 * certainly did not apply, and restores the refused keys when the store came back empty.
 */
export class CatchUp {
  readonly #parts: CatchUpParts
  readonly #corrections = new PendingCorrections()
  #isWaiting = false

  constructor(parts: CatchUpParts) {
    this.#parts = parts
  }

  /** Whether there is anything to write back. */
  get isDue(): boolean {
    return this.#corrections.size > 0 || this.#parts.fallback.writeBack.size > 0
  }

  /** Drops what is queued about counters that were reset. */
  forget(counters: readonly CounterId[]): void {
    if (this.#corrections.size === 0) return
    for (const { subject, counter } of counters) this.#corrections.forget(keyOf(subject, counter))
  }

  /** Queues a correction that the store certainly did not apply, and retries it soon, even without further requests. */
  queue(group: Group): void {
    this.#corrections.add(group, nowMicros())
    if (this.#isWaiting) return
    this.#isWaiting = true
    afterQuietly(RETRY_MS, () => void this.#retry())
  }

  /** Starts to write back everything that is queued. No caller waits for it. */
  writeBackSoon(): void {
    void this.writeBackNow()
  }

  /** As {@link writeBackSoon}. Resolves when the store has answered, and never rejects. */
  async writeBackNow(): Promise<void> {
    const { report } = this.#parts
    const writeBacks = this.#takeWriteBacks().map(group => this.#writeBack(group).catch(report))
    await Promise.all([...writeBacks, this.#applyCorrections()])
  }

  /** Runs the whole recovery within the deadline. */
  async recover(): Promise<void> {
    const { evaluate, lastKnown, deadline } = this.#parts
    const refused = lastKnown.refused.groups()
    await deadline.race(
      (async () => {
        const answers = await settled(refused.map(async ({ peek }) => evaluate(peek)))
        const lost = refused.filter(({ isLost }, i) => {
          const answer = answers[i]
          return answer !== undefined && isLost(answer)
        })
        // Taken from the queue only now. When an earlier step fails, the next probe retries everything.
        const writeBacks = this.#takeWriteBacks().map(group => this.#writeBack(group))
        const restored = lost.map(async ({ restore }) => evaluate(restore))
        void this.#applyCorrections()
        await settled<unknown>([...writeBacks, ...restored])
      })(),
    )
  }

  #takeWriteBacks(): Group[] {
    const { fallback, clock } = this.#parts
    return fallback.writeBack.take(clock.now() * 1000)
  }

  // Retried only if the store certainly did not apply it. A write without a reply may have been applied.
  async #writeBack(group: Group): Promise<void> {
    try {
      await this.#parts.settle(group)
    } catch (error) {
      const { writeBack } = this.#parts.fallback
      if (wasNotApplied(error)) writeBack.add(group)
      else writeBack.doubt(group)
      throw error
    }
  }

  /** Resolves when the store has answered. Never rejects. */
  async #applyCorrections(): Promise<void> {
    if (this.#corrections.size === 0) return
    const now = this.#parts.clock.now() * 1000
    await Promise.all(this.#corrections.take(nowMicros(), now).map(group => this.#applyCorrection(group)))
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
      await deadline.race(capabilitiesOf(store).probe())
      this.#isWaiting = false
      void this.#applyCorrections()
    } catch {
      this.#corrections.dropLate(nowMicros())
      if (this.#corrections.size > 0) afterQuietly(RETRY_MS, () => void this.#retry())
      else this.#isWaiting = false
    }
  }
}

/**
 * Waits for calls that can fail independently, such as calls to the nodes of a cluster. Rejects only when all of them
 * failed.
 */
async function settled<T>(calls: readonly Promise<T>[]): Promise<(T | undefined)[]> {
  const results = await Promise.allSettled(calls)
  const failed = results.filter(result => result.status === 'rejected')
  if (failed.length > 0 && failed.length === calls.length) throw failed[0]?.reason as Error
  return results.map(result => (result.status === 'fulfilled' ? result.value : undefined))
}
