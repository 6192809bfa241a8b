/**
 * What an ending tells about latency. `sample`: how long an answer takes. `at-least`: that it would have taken so long or longer,
 * because the client has left, or because the server gave up. `drop`: nothing.
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
  /** Whether it has given its place up, because its request uses nothing of the process. */
  isIdle = false
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
