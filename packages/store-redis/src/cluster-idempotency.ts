import { type Demand, type Group, Mode, type Evaluation } from '@halt/core/store'

import { type KeyWriter, slotOf } from './keys.ts'
import { PEEK_RULE } from './peek-group.ts'

/** Checks and records the idempotency key of a group whose keys are in several hash slots. Does nothing without a key. */
export class ClusterIdempotency {
  /** Whether another call has recorded the key before. */
  repeated = false
  readonly #idempotency: Group['idempotency']
  readonly #sendToSlot: (demands: readonly Demand[]) => Promise<Evaluation | undefined>

  constructor(
    { idempotency }: Group,
    key: KeyWriter,
    send: (slot: number, group: Group) => Promise<Evaluation>,
  ) {
    this.#idempotency = idempotency
    this.#sendToSlot = async demands =>
      idempotency && send(slotOf(key(idempotency.subject, idempotency.counter)), { demands, idempotency })
  }

  /** Reads whether the key was recorded. Records nothing. */
  async check(): Promise<void> {
    // The script records no key for a group that it refuses, so send one that is always refused.
    if (this.#idempotency !== undefined)
      await this.#send([{ ...REFUSED, subject: this.#idempotency.subject }])
  }

  /** Records the key. If another call was faster, this one is the repeat. */
  async record(): Promise<void> {
    if (this.#idempotency !== undefined) await this.#send([])
  }

  async #send(demands: readonly Demand[]): Promise<void> {
    this.repeated = (await this.#sendToSlot(demands))?.repeated === true
  }
}

// A demand that is always refused, on a counter that is never stored.
const REFUSED: Omit<Demand, 'subject'> = { rule: PEEK_RULE, cost: 0, mode: Mode.BLOCK, penalized: false }
