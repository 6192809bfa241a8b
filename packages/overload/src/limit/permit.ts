/**
 * How the limit uses the time of a request that has ended. `sample`: the time is the latency of an answer. `at-least`: the latency
 * would have been that time or more, because the client has left or the server gave up. `drop`: the limit ignores the time.
 */
export type Ending = 'sample' | 'at-least' | 'drop'

/** Counts permits. */
export interface Issuer {
  take(permit: Permit, ending: Ending): void
  /** Hears that the client of a permit has left. */
  abandon(permit: Permit): void
}

/** The client of a request, as one who sends its body. */
export interface Sender {
  /** Whether the handler waits for the client, who has not sent the whole body yet. */
  readonly isSending: boolean
  /** Calls back once the handler has the whole body. */
  whenSent(callback: () => void): void
}

/** A request's right to be in flight. It is given back once. */
export class Permit {
  /** When the request was admitted, or when its place was taken again, in milliseconds of the turn clock. */
  at: number
  readonly route: string
  /** The number of cuts of the limit before. */
  cuts: number
  /** Its neighbours among the permits that are held. */
  before: Permit | undefined = undefined
  after: Permit | undefined = undefined
  /** Why it has given its place up: its client is slow to send the body, or nobody knows. Undefined if it holds one. */
  idle: 'sending' | 'stuck' | undefined = undefined
  /** The client, where somebody sees the body arrive. */
  sender: Sender | undefined = undefined
  /** When the client left while the handler went on. Undefined: it is there. */
  goneAt: number | undefined = undefined
  #issuer: Issuer | undefined

  constructor(issuer: Issuer, at: number, route: string, cuts: number) {
    this.#issuer = issuer
    this.at = at
    this.route = route
    this.cuts = cuts
  }

  /** Whether it was not given back yet. */
  get isOpen(): boolean {
    return this.#issuer !== undefined
  }

  /** Lets another one count it from now on. Its time tells about the time before. */
  moveTo(issuer: Issuer): void {
    this.#issuer = issuer
    this.cuts = -1
  }

  /** Notes that the client has left. The place is free once the handler ends, or after a second, as nobody may tell. */
  abandon(): void {
    if (this.goneAt === undefined) this.#issuer?.abandon(this)
  }

  /** Gives the place back. Every further call does nothing. */
  leave(ending: Ending): void {
    const issuer = this.#issuer
    if (issuer === undefined) return
    this.#issuer = undefined
    // A handler that sees that its client has left may end early.
    issuer.take(this, this.goneAt !== undefined && ending === 'sample' ? 'at-least' : ending)
  }
}
