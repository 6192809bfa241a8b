import type { Asking } from './callers.ts'

/** The callers that ask the store again later for the same counters, in the order in which they came. The first one asks next. */
export class Askers {
  readonly #callers: Asking[] = []
  readonly #emptied: () => void

  /** @param emptied called when the last caller has gone */
  constructor(emptied: () => void) {
    this.#emptied = emptied
  }

  /** The caller that asks next. */
  get first(): Asking | undefined {
    while (this.#callers[0]?.isLost === true) this.#callers.shift()!.drop()
    return this.#callers[0]
  }

  /** The units of the callers that came before one. */
  unitsBefore({ seq }: Pick<Asking, 'seq'>): number {
    return this.#callers.reduce((sum, caller) => (caller.seq < seq ? sum + caller.most : sum), 0)
  }

  /** Adds a caller in front of those that came after it, unless it is there already. */
  join(caller: Asking): void {
    if (this.#callers.includes(caller)) return
    let at = this.#callers.length
    while (at > 0 && this.#callers[at - 1]!.seq > caller.seq) at--
    this.#callers.splice(at, 0, caller)
  }

  /** Removes a caller. The next one asks at once. */
  part(caller: Asking): void {
    const at = this.#callers.indexOf(caller)
    if (at < 0) return
    this.#callers.splice(at, 1)
    if (at === 0) this.first?.wake()
    if (this.#callers.length === 0) this.#emptied()
  }
}
