import { capabilitiesOf } from '../store/capabilities.ts'
import { keyOf } from '../store/counter-key.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { afterQuietly, nowMicros } from '../base/event-loop.ts'
import { PendingCorrections, nextTurn, settled, SLICE } from './pending-corrections.ts'
import type { Deadline } from './deadline.ts'
import type { Fallback } from './fallback.ts'
import type { LastKnown } from './last-known.ts'
import type { Evaluate } from '../store/evaluation-check.ts'
import { wasNotApplied } from './circuit-breaker.ts'

/** The parts of a guarded store that its catching up uses. */
export interface CatchUpParts {
  readonly store: Store
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
 * certainly did not apply, and restores the blocks that the store has lost.
 */
export class CatchUp {
  readonly #parts: CatchUpParts
  readonly #corrections = new PendingCorrections()
  #isWaiting = false
  #writing: Promise<unknown> | undefined
  #applying: Promise<void> | undefined

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

  /** Writes back everything that is queued. Resolves when the store has answered, and never rejects. */
  writeBackNow(): Promise<unknown> {
    const { report, deadline } = this.#parts
    this.#writing ??= Promise.all([
      this.#writeBackAll(all => deadline.race(Promise.all(all.map(one => one.catch(report)))).catch(report)),
      this.#applyCorrections(),
    ]).finally(() => (this.#writing = undefined))
    return this.#writing
  }

  /** Restores the blocks, and writes the charges back, each step within the deadline. Corrections are tried again by themselves. */
  async recover(): Promise<void> {
    const { lastKnown, deadline } = this.#parts
    await deadline.race(lastKnown.blocks.recheck())
    // Taken from the queue slice by slice. When one fails, the next probe retries the rest.
    await this.#writeBackAll(calls => deadline.race(settled(calls)))
  }

  async #writeBackAll(each: (calls: Promise<void>[]) => Promise<unknown>): Promise<void> {
    const { fallback, clock } = this.#parts
    // Those that fail are queued again, so they are not taken twice.
    for (let left = fallback.writeBack.size; left > 0; left -= SLICE) {
      const groups = fallback.writeBack.take(clock.now() * 1000, SLICE)
      await each(groups.map(group => this.#writeBack(group)))
      if (left > SLICE) await nextTurn()
    }
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

  /** Resolves when the store has answered, or has not in time, so that later ones do not wait for ever. Never rejects. */
  #applyCorrections(): Promise<void> {
    this.#applying ??= this.#applyAll().finally(() => (this.#applying = undefined))
    return this.#applying
  }

  async #applyAll(): Promise<void> {
    const { clock, deadline, report } = this.#parts
    // Those that fail are queued again, so they are not taken twice.
    for (let left = this.#corrections.size; left > 0; left -= SLICE) {
      const groups = this.#corrections.take(nowMicros(), clock.now() * 1000, SLICE)
      await deadline.race(Promise.all(groups.map(group => this.#applyCorrection(group)))).catch(report)
      if (left > SLICE) await nextTurn()
    }
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
