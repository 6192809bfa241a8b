/** A hold as the book knows it: by itself, and not in a sum. */
export interface BookedHold {
  /** What is left of it. */
  rest: bigint
  /** When it ends, in microseconds. */
  to: number
  /** The end of the period in which it was made or moved. */
  period: number
}

/** A book of a quota that knows each hold by itself, in whole numbers of any size. It shares no code with the stores. */
export class HoldBook {
  readonly #limit: bigint
  readonly #ttl: number
  readonly #holds: BookedHold[] = []
  #period = 0
  #used = 0n
  #granted = 0n

  constructor(limit: number, ttl: number) {
    this.#limit = BigInt(limit)
    this.#ttl = ttl
  }

  /**
   * Judges what a call does. Returns whether it passes; for a new hold, the hold.
   *
   * @param period the end of the present period
   * @param own the hold of the call
   */
  judge(act: string, cost: number, now: number, period: number, own?: BookedHold): boolean | BookedHold {
    const units = BigInt(cost)
    const mine = own !== undefined && this.#isLive(own, now, period) ? own.rest : 0n
    // A payment claims no more of the hold than it costs.
    const back = act === 'pay' && units < mine ? units : mine
    const room = this.#room(now, period) + back
    if (act !== 'settle' && act !== 'grant' && units > room && (back === 0n || units > back)) return false
    if (own !== undefined) {
      if (act === 'pay') own.rest -= own.rest < units ? own.rest : units
      else if (act === 'settle') own.rest = 0n
    }
    if (units > 0n && this.#period !== period) {
      this.#period = period
      this.#used = 0n
      this.#granted = 0n
    }
    if (act === 'grant') this.#granted = least(this.#granted + units, 999_999_999_999_999n)
    else if (act === 'reserve') return this.#add(units, now, period)
    else if (act === 'extend') Object.assign(own as BookedHold, { to: this.#end(now, period), period })
    else this.#used = least(this.#used + units, 2n ** 52n)
    return true
  }

  used(period: number): bigint {
    return period === this.#period ? this.#used : 0n
  }

  held(now: number, period: number): bigint {
    return this.#holds.reduce((sum, hold) => (this.#isLive(hold, now, period) ? sum + hold.rest : sum), 0n)
  }

  left(now: number, period: number): bigint {
    const room = this.#room(now, period)
    return room > 0n ? room : 0n
  }

  #room(now: number, period: number): bigint {
    const granted = period === this.#period ? this.#granted : 0n
    return this.#limit + granted - this.used(period) - this.held(now, period)
  }

  #add(rest: bigint, now: number, period: number): BookedHold {
    const hold = { rest, to: this.#end(now, period), period }
    this.#holds.push(hold)
    return hold
  }

  #isLive(hold: BookedHold, now: number, period: number): boolean {
    return hold.period === period && now < hold.to
  }

  /** The first end of an eighth of the time that is at least the whole time away, or the end of the period if that comes before. */
  #end(now: number, period: number): number {
    const eighth = this.#ttl / 8
    return Math.min((Math.floor(now / eighth) + 1) * eighth + this.#ttl, period)
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
