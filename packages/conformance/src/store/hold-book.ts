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
  readonly #holds: BookedHold[] = []
  #period = 0
  #used = 0n
  #granted = 0n

  constructor(limit: number) {
    this.#limit = BigInt(limit)
  }

  /**
   * Judges what a call does. Returns whether it passes; for a new hold, the hold.
   *
   * @param period the end of the present period
   * @param ttl how long the units are held, in microseconds
   * @param own the hold of the call
   */
  judge(
    act: string,
    cost: number,
    now: number,
    period: number,
    ttl: number,
    own?: BookedHold,
  ): boolean | BookedHold {
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
    else if (act === 'reserve') return this.#add(units, now, period, ttl)
    else if (act === 'extend') Object.assign(own as BookedHold, { to: endOf(now, period, ttl), period })
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

  #add(rest: bigint, now: number, period: number, ttl: number): BookedHold {
    const hold = { rest, to: endOf(now, period, ttl), period }
    this.#holds.push(hold)
    return hold
  }

  #isLive(hold: BookedHold, now: number, period: number): boolean {
    return hold.period === period && now < hold.to
  }
}

/**
 * The first multiple of a power of two that is at least the whole time away, or the end of the period if that comes before. The power
 * is the least one of at least an eighth of the time.
 */
function endOf(now: number, period: number, ttl: number): number {
  const slice = 2n ** BigInt(Math.max(17, Math.ceil(Math.log2(ttl / 8))))
  const whole = (BigInt(now + ttl) + slice - 1n) / slice
  return Math.min(Number(whole * slice), period)
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
