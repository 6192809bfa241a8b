import {
  algorithmOf,
  isInLine,
  type LineReading,
  type Place,
  type Rule,
  speedUp,
  type State,
  timeToPay,
} from '../algorithms/index.ts'

/** What came late starts within this time, so that it does not start at one instant. Microseconds. */
const SPREAD = 300_000
/** A timer that is later than this was held up by the process itself. Microseconds. */
const STALL = 300_000

/** Callers that start later by more than this may lose their patience. Microseconds. */
const NOTICEABLE = 1000

/** A reply about one counter. Instants in microseconds; `sent` and `arrived` are of this process's clock, `now` of the server's. */
export interface Heard {
  readonly state: State
  readonly rule: Rule
  readonly now: number
  /** The cost units that the question charged. */
  readonly charged: number
  readonly sent: number
  readonly arrived: number
}

/**
 * The front of the line of one counter: up to which position callers may start. This process carries it on between the replies by its
 * own clock, so that callers start at the instants that they were told.
 */
export class Front {
  /** The end of the cool-down that freezes the line, by this process's clock; 0 if none was heard of. */
  frozenUntil = 0
  readonly #clock = new ServerClock()
  #rule: Rule | undefined
  #reading: LineReading | undefined
  // The instant of the last reply, by the server's clock.
  #now = 0
  // The instant of the last reply that told a line, and the end of the cool-down then.
  #readAt = 0
  #cooldown = 0
  // When the question of the last reply was sent, and when the reply arrived.
  #sent = 0
  #arrived = 0
  #skippedBefore = 0
  // Debt that the store took off because its clock was set forward. Nobody may start by it.
  #skew = 0
  // The cost units by which the front is held back, since when, and the units that may start at once.
  #lead = 0
  #ledSince = 0
  #credit = Number.POSITIVE_INFINITY
  #creditAt = 0
  // When this process heard that the line is over. The last reading before that stays.
  #endedAt = Number.POSITIVE_INFINITY

  /**
   * Observes a reply. Returns whether callers may start later than they were told; undefined if a later reply was observed before.
   *
   * @param first the place of the first caller of this process. A jump of the front is measured by it
   */
  observe(
    { state, rule: asked, now, charged, sent, arrived }: Heard,
    first: Place | undefined,
  ): boolean | undefined {
    // A question that was sent after the last reply has a later answer, even if the clock was set back in between.
    if (now < this.#now && sent < this.#arrived) return undefined
    // An answer that comes after one to a later question, from another clock, was given before that clock was set.
    if (sent < this.#sent && this.#clock.contradicts(sent, arrived, now)) return undefined
    // A correction answers by the numbers that the line has, not by those of its charge.
    const rule = algorithmOf(asked).line?.termsOf(state, asked) ?? asked
    const reading = algorithmOf(rule).line?.read(state, now, rule)
    if (reading === undefined && this.#reading !== undefined) {
      this.#noteReply(state, sent, arrived, now)
      this.#endedAt = arrived
      return false
    }
    const wasKnown = first !== undefined && this.#reading !== undefined
    const before = wasKnown ? this.#aheadOf(first.position, arrived) : 0
    const heldBack = this.#leadAt(arrived)
    const startBefore = wasKnown ? this.startOf(first) : 0
    const [bornBefore, unitBefore] = [this.#reading?.born, this.#rule?.unit ?? rule.unit]
    const debtBefore = this.#debtAt(arrived)
    this.#noteReply(state, sent, arrived, now)
    const isSame = reading !== undefined && reading.born === bornBefore
    const skipped = rule.rate * (this.#clock.skipped - this.#skippedBefore)
    this.#skew = isSame ? (this.#skew / unitBefore) * rule.unit + skipped : 0
    this.#skippedBefore = this.#clock.skipped
    this.#reading = reading
    this.#endedAt = Number.POSITIVE_INFINITY
    this.#rule = rule
    this.#readAt = now
    this.#cooldown = state[0] ?? 0
    // A full bucket takes no more. If it was full before the charge, the skipped time took off no more than was owed then.
    if (isSame && state[2]! <= Math.max(0, charged) * rule.unit)
      this.#skew = Math.min(this.#skew, (debtBefore / unitBefore) * rule.unit)
    if (isSame && wasKnown)
      this.#spread(heldBack + overdue(before, this.#aheadOf(first.position, arrived)), arrived)
    else this.#lead = 0
    return isSame && wasKnown && this.startOf(first) > startBefore + NOTICEABLE
  }

  #noteReply(state: State, sent: number, arrived: number, now: number): void {
    this.#clock.observe(sent, arrived, now)
    const cooldown = state[0] ?? 0
    this.frozenUntil = cooldown === 0 ? 0 : this.#clock.ownInstant(cooldown)
    this.#now = now
    this.#sent = sent
    this.#arrived = arrived
  }

  /** Whether the store has forgotten a place. A line that is over was paid: it has forgotten nobody whose turn had come. */
  hasLost(place: Place): boolean {
    if (!isInLine(place)) return false
    return this.#isUnknown(place) || this.#dueAt(place) > this.#endedAt
  }

  /** Whether the store knows no line any more. */
  get isOver(): boolean {
    return this.#endedAt < Number.POSITIVE_INFINITY
  }

  #isUnknown({ born, position }: Place): boolean {
    return this.#reading === undefined || this.#reading.born !== born || position > this.#reading.tail
  }

  /** The instant from which a caller may start, by this process's clock. `Infinity` for a place that the store has forgotten. */
  startOf(place: Place): number {
    if (!isInLine(place)) return 0
    return this.#isUnknown(place) ? Number.POSITIVE_INFINITY : this.#dueAt(place)
  }

  #dueAt(place: Place): number {
    const slack = this.#slack(place.position)
    const { rate, unit } = this.#rule!
    const due = this.#clock.ownInstant(this.#base + timeToPay(-slack, this.#reading!.pool, rate))
    const end = this.#ledSince + SPREAD
    if (this.#lead <= 0 || due >= end) return due
    let [early, late] = [Math.max(due, this.#ledSince), end]
    while (late - early > 50) {
      const middle = (early + late) / 2
      if (slack + this.#paid(middle) >= this.#leadAt(middle) * unit) late = middle
      else early = middle
    }
    return late
  }

  /** Holds the front back where this process was held up: the callers that were due meanwhile must not start at one instant. */
  stalled(late: number, own: number): void {
    if (late <= STALL || this.#rule === undefined || this.#reading === undefined) return
    this.#spread(this.#leadAt(own) + ((late - STALL) * this.#rule.rate) / this.#rule.unit, own)
  }

  /** The server's instant from which time moves the front: that of the reply, or the end of the cool-down that freezes it. */
  get #base(): number {
    return Math.max(this.#readAt, this.#cooldown)
  }

  /** Debt by which the front was beyond a position at the reply; negative if it was not there. */
  #slack(position: number): number {
    const { front, holes } = this.#reading!
    let gone = 0
    for (let i = 0; i < holes.length && holes[i]! <= position; i += 2) gone += holes[i + 1]!
    return front - this.#skew - (position - gone) * this.#rule!.unit
  }

  /** The debt that time and refunds have paid since the reply. */
  #paid(own: number): number {
    const { pool } = this.#reading!
    const { rate } = this.#rule!
    const elapsed = Math.max(0, own - this.#clock.ownInstant(this.#base))
    return rate * elapsed + Math.min(pool, speedUp(pool, rate) * elapsed)
  }

  /** The debt of the bucket if its clock had never been set forward, as this process knows it. */
  #debtAt(own: number): number {
    if (this.#reading === undefined) return 0
    const { front, tail } = this.#reading
    const { capacity, unit } = this.#rule!
    return Math.max(0, (capacity + tail) * unit - front + this.#skew - this.#paid(own))
  }

  /** Cost units by which the front is beyond a position, as the replies say. */
  #aheadOf(position: number, own: number): number {
    return (this.#slack(position) + this.#paid(own)) / this.#rule!.unit
  }

  #leadAt(own: number): number {
    return this.#lead <= 0 ? 0 : Math.max(0, this.#lead * (1 - (own - this.#ledSince) / SPREAD))
  }

  /** Lets a capacity of a jump start at once, and spreads the rest. */
  #spread(jump: number, own: number): void {
    const { capacity, unit, rate } = this.#rule!
    const credit = Math.min(capacity, this.#credit + (rate / unit) * (own - this.#creditAt))
    const taken = Math.max(0, Math.min(credit, jump))
    this.#credit = credit - taken
    this.#creditAt = own
    this.#lead = Math.max(0, jump - taken)
    this.#ledSince = own
  }
}

/**
 * The cost units that are overdue by news which moved the front from `before` to `after` of the first caller. Callers that move up and
 * are not due yet start at the rate, so they need no spreading.
 */
function overdue(before: number, after: number): number {
  return after < before ? after - before : Math.max(0, after) - Math.max(0, before)
}

/**
 * The clock of the server that holds a counter, as this process knows it.
 *
 * A reply was made after its question was sent and before it arrived, so each reply bounds the difference of the two clocks from both
 * sides. Where a new bound contradicts the old ones, the server's clock was set, or another server has taken over.
 */
class ServerClock {
  // The difference, this process's clock less the server's, lies between these. Microseconds.
  #least = Number.NEGATIVE_INFINITY
  #most = Number.POSITIVE_INFINITY
  /** By how much the server's clock was set forward so far, in microseconds. */
  skipped = 0

  /** Whether a reply contradicts the earlier ones: another clock made it. */
  contradicts(sent: number, arrived: number, instant: number): boolean {
    return sent - instant > this.#most || arrived - instant < this.#least
  }

  /**
   * Observes a reply.
   *
   * @param sent when the question was sent, by this process's clock
   * @param arrived when the reply arrived, by this process's clock
   * @param instant the instant of the reply, by the server's clock
   */
  observe(sent: number, arrived: number, instant: number): void {
    const least = sent - instant
    const most = arrived - instant
    if (least > this.#most || most < this.#least) {
      if (most < this.#least) this.skipped += this.#least - most
      this.#least = least
      this.#most = most
      return
    }
    if (least > this.#least) this.#least = least
    if (most < this.#most) this.#most = most
  }

  /** This process's instant of an instant of the server: never too early. */
  ownInstant(instant: number): number {
    return instant + this.#most
  }
}
