import type { ObjectStorage } from '../platform.ts'

// An alarm is billed as a request and a written row, so an object in use sweeps at most once per minute.
const SWEEP_MS = 60_000

/** The alarm that removes the counters of a Durable Object once they equal fresh ones. */
export class Expiry {
  readonly #storage: ObjectStorage
  // Unix milliseconds. A restarted object does not know it.
  #alarmAt: number | undefined

  constructor(storage: ObjectStorage) {
    this.#storage = storage
  }

  /**
   * Makes sure that an alarm is set. It may be later than the expiry, because the physical expiry never decides.
   *
   * @param left milliseconds until the next counter may be removed
   */
  async ensure(left: number): Promise<void> {
    if (left === Number.POSITIVE_INFINITY) return
    // A minute after its time, the platform has stopped to try a failed alarm again.
    if (this.#alarmAt !== undefined && Date.now() < this.#alarmAt + SWEEP_MS) return
    const pending = await this.#storage.getAlarm()
    if (pending === null) await this.set(left)
    else this.#alarmAt = Math.max(pending, Date.now())
  }

  /** Sets the next alarm. */
  async set(left: number): Promise<void> {
    this.#alarmAt = Date.now() + Math.max(left, SWEEP_MS)
    await this.#storage.setAlarm(this.#alarmAt)
  }

  /** Notes that no alarm is set. */
  clear(): void {
    this.#alarmAt = undefined
  }
}
