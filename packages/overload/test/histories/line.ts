// What a client does on a connection.

/** A request that a client has sent. */
export interface Sent {
  /** The statuses that have come for it. More than one is wrong. */
  readonly statuses: number[]
  /** The headers of its answer. */
  headers: Readonly<Record<string, string | undefined>>
  /** Whether its answer has come as a whole. */
  isOver: boolean
  /** Sends the rest of its body. */
  finish(): void
}

/** A body in two parts. */
export interface Body {
  readonly first: string
  readonly rest: string
}

/** A connection. */
export interface Line {
  /** Whether further requests may be sent. */
  isOpen: boolean
  /** What came that answers no request. */
  readonly stray: string
  send(method: string, path: string, body?: Body): Sent
  /** Ends a request, or the whole connection if it cannot end one alone. */
  cancel(sent: Sent): void
  /** Breaks the connection. */
  cut(): void
  /** Sends no more requests. */
  end(): void
}
