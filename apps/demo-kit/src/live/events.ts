/** An event: a penalty began, a quota was reached, the store failed. */
export interface LiveEvent {
  /** Unix milliseconds. */
  readonly at: number
  readonly what: string
  /** The key that it concerns; undefined for none. */
  readonly key: string | undefined
}

const MOST = 30

/** The last events. */
export class Events {
  readonly #events: LiveEvent[] = []

  /** Adds an event. A repeated event replaces the older one. */
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
