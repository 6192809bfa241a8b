/** What a response tells about latency: all, nothing, or only that it took so long at least. */
export type Ending = 'sample' | 'drop' | 'aborted'

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
