/**
 * Tells the first time in each second that something of a name happens, so that a counter counts seconds. Give it names of a bounded
 * set, such as those of a {@link LabelSet}.
 */
export class OnceASecond {
  readonly #last = new Map<string, number>()

  /** Whether it is the first time in the present second. */
  isFirst(name: string): boolean {
    const second = Math.floor(Date.now() / 1000)
    if (this.#last.get(name) === second) return false
    this.#last.set(name, second)
    return true
  }
}
