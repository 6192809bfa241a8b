/** Something worth a line: a penalty began, a quota was reached, the store went away. */
export interface LiveEvent {
  /** Unix milliseconds. */
  readonly at: number
  readonly what: string
  /** Whom it concerns; undefined: nobody. */
  readonly key: string | undefined
}

const MOST = 30

/** The last lines. */
export class Events {
  readonly #events: LiveEvent[] = []

  /** Adds a line; one that repeats another only moves it on. */
  add(event: LiveEvent): void {
    const known = this.#events.findIndex(({ what, key }) => what === event.what && key === event.key)
    if (known >= 0) this.#events.splice(known, 1)
    this.#events.push(event)
    if (this.#events.length > MOST) this.#events.shift()
  }

  /** The newest first. */
  read(): LiveEvent[] {
    return this.#events.toReversed()
  }
}
