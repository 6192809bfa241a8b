/**
 * How the limit uses the time of a request that has ended. `sample`: the time is the latency of an answer. `at-least`: the latency
 * would have been that time or more, because the client has left or the server gave up. `drop`: the limit ignores the time.
 */
export type Ending = 'sample' | 'at-least' | 'drop'

/** Counts permits. */
export interface Issuer {
  take(permit: Permit, ending: Ending): void
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
  #sender: Sender | undefined
  #issuer: Issuer | undefined
  #inner: Permit | undefined

  constructor(issuer: Issuer, at: number, route: string, cuts: number) {
    this.#issuer = issuer
    this.at = at
    this.route = route
    this.cuts = cuts
  }

  /** The client, where somebody sees the body arrive. */
  get sender(): Sender | undefined {
    return this.#sender
  }

  set sender(sender: Sender | undefined) {
    this.#sender = sender
    if (this.#inner !== undefined) this.#inner.sender = sender
  }

  /** Adds the permit of a smaller limit, which is given back together with this one. */
  within(inner: Permit): void {
    this.#inner = inner
  }

  /** Whether it was not given back yet. */
  get isOpen(): boolean {
    return this.#issuer !== undefined
  }

  /** Gives the place back. Every further call does nothing. */
  leave(ending: Ending): void {
    const issuer = this.#issuer
    if (issuer === undefined) return
    this.#issuer = undefined
    issuer.take(this, ending)
    this.#inner?.leave(ending)
  }
}
