/** Something that an operator wants to know: a penalty began, a quota was used up, the store failed. */
export interface WatchedEvent {
  /** Unix milliseconds. */
  readonly at: number
  readonly what: string
  /** The key that it concerns; undefined for none. */
  readonly key: string | undefined
}

/** How many events are kept. */
export const MOST_EVENTS = 20

/** The last events. */
export class Events {
  readonly #events: WatchedEvent[] = []

  /** Adds an event. A repeated event replaces the older one. */
  add(event: WatchedEvent): void {
    const known = this.#events.findIndex(({ what, key }) => what === event.what && key === event.key)
    if (known >= 0) this.#events.splice(known, 1)
    this.#events.push(event)
    if (this.#events.length > MOST_EVENTS) this.#events.shift()
  }

  /** The newest first. */
  read(): WatchedEvent[] {
    return this.#events.toReversed()
  }
}
