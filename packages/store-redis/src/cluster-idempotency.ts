import { type Demand, type Group, Mode, type Evaluation } from '@halt/core/store'

import { type KeyWriter, slotOf } from './keys.ts'
import { PEEK_RULE } from './peek-group.ts'

/** The idempotency key of a group that is decided in several hash slots, if it has one. */
export class ClusterIdempotency {
  /** Whether the key was seen before. */
  repeated = false
  readonly #idempotency: Group['idempotency']
  readonly #sendToSlot: (demands: readonly Demand[]) => Promise<Evaluation | undefined>

  constructor(
    { idempotency }: Group,
    key: KeyWriter,
    send: (slot: number, part: Group) => Promise<Evaluation>,
  ) {
    this.#idempotency = idempotency
    this.#sendToSlot = async demands =>
      idempotency && send(slotOf(key(idempotency.subject, idempotency.counter)), { demands, idempotency })
  }

  /** Looks for the key, and leaves none. */
  async check(): Promise<void> {
    // A call that is refused notes no key.
    if (this.#idempotency !== undefined)
      await this.#send([{ ...REFUSED, subject: this.#idempotency.subject }])
  }

  /** Notes the key. Where another call was faster, this one repeats it. */
  async record(): Promise<void> {
    if (this.#idempotency !== undefined) await this.#send([])
  }

  async #send(demands: readonly Demand[]): Promise<void> {
    this.repeated = (await this.#sendToSlot(demands))?.repeated === true
  }
}

// A counter that nobody has, and that nothing is kept of.
const REFUSED: Omit<Demand, 'subject'> = { rule: PEEK_RULE, cost: 0, mode: Mode.BLOCK, penalized: false }
