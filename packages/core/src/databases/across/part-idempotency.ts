import type { Group } from '../../store/contract.ts'
import { REFUSED } from '../../store/known-groups.ts'
import type { NodeOf, Send } from './part.ts'

/** Checks and records the idempotency key of a group whose counters are on several nodes. Does nothing without a key. */
export class PartIdempotency<N> {
  /** Whether another call has recorded the key before. */
  repeated = false
  /** Records the key, unless it only reads it: a node records no key for a group that it refuses. */
  readonly #ask: (isRead: boolean) => Promise<void>

  constructor({ idempotency }: Group, nodeOf: NodeOf<N>, send: Send<N>) {
    this.#ask = async isRead => {
      if (idempotency === undefined) return
      const { subject, counter } = idempotency
      const demands = isRead ? [{ ...REFUSED, subject }] : []
      this.repeated = (await send(nodeOf(subject, counter), { demands, idempotency })).repeated
    }
  }

  /** Reads whether the key was recorded. Records nothing. */
  check(): Promise<void> {
    return this.#ask(true)
  }

  /** Records the key. If another call was faster, this one is the repeat. */
  record(): Promise<void> {
    return this.#ask(false)
  }
}
