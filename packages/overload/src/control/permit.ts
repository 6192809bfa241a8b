/**
 * What an ending tells about latency. `sample`: how long an answer takes. `at-least`: that it would have taken so long or longer,
 * because the client has left, or because the server gave up. `drop`: nothing.
 */
export type Ending = 'sample' | 'at-least' | 'drop'

/** Counts permits. */
export interface Issuer {
  take(permit: Permit, ending: Ending): void
}

/** A request's right to be in flight. It is given back once. */
export class Permit {
  /** When the request was admitted, in milliseconds of the turn clock. */
  readonly at: number
  readonly route: string
  /** The number of cuts of the limit before. */
  readonly cuts: number
  #issuer: Issuer | undefined

  constructor(issuer: Issuer, at: number, route: string, cuts: number) {
    this.#issuer = issuer
    this.at = at
    this.route = route
    this.cuts = cuts
  }

  /** Gives the place back. Every further call does nothing. */
  leave(ending: Ending): void {
    const issuer = this.#issuer
    if (issuer === undefined) return
    this.#issuer = undefined
    issuer.take(this, ending)
  }
}
