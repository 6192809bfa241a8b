import type { Demand, Group } from '../../store/contract.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import { REFUSED } from '../../store/look-rule.ts'
import type { NodeOf, Send } from './part.ts'

/** Checks and records the idempotency key of a group whose counters are on several nodes. Does nothing without a key. */
export class PartIdempotency<N> {
  /** Whether another call has recorded the key before. */
  repeated = false
  readonly #idempotency: Group['idempotency']
  readonly #sendToNode: (demands: readonly Demand[]) => Promise<Evaluation | undefined>

  constructor({ idempotency }: Group, nodeOf: NodeOf<N>, send: Send<N>) {
    this.#idempotency = idempotency
    this.#sendToNode = async demands =>
      idempotency && send(nodeOf(idempotency.subject, idempotency.counter), { demands, idempotency })
  }

  /** Reads whether the key was recorded. Records nothing. */
  async check(): Promise<void> {
    // A node records no key for a group that it refuses, so send one that is always refused.
    if (this.#idempotency !== undefined)
      await this.#send([{ ...REFUSED, subject: this.#idempotency.subject }])
  }

  /** Records the key. If another call was faster, this one is the repeat. */
  async record(): Promise<void> {
    if (this.#idempotency !== undefined) await this.#send([])
  }

  async #send(demands: readonly Demand[]): Promise<void> {
    this.repeated = (await this.#sendToNode(demands))?.repeated === true
  }
}
