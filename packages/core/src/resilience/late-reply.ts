import type { Grounds } from '../check/decision.ts'

/** What the store may yet say of a question that was decided without it, since it did not answer in time. */
export class LateReply {
  #grounds: Grounds | undefined
  #listener: ((grounds: Grounds) => void) | undefined

  /** Tells that the store has charged it after all. */
  hear(grounds: Grounds): void {
    this.#grounds = grounds
    this.#listener?.(grounds)
  }

  /** Calls back, at once where it has been heard already. */
  whenHeard(listener: (grounds: Grounds) => void): void {
    this.#listener = listener
    if (this.#grounds !== undefined) listener(this.#grounds)
  }
}
