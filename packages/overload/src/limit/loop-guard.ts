import type { TierFit } from './tier-fit.ts'

// A window has at least so many rounds and milliseconds.
const WINDOW_MS = 100
const WINDOW_ROUNDS = 3
const WINDOW_LONG_MS = 250
// The loop is full if it was idle for less than this share of a window. With more than SPARE the guard lets go, and with HALF at once.
const FULL = 0.01
const SPARE = 0.1
const HALF = 0.5
// How long a round of a full loop should take: requests then wait for one round at most, and run in the next.
const ROUND_MS = 20
// Before a window has told a number: what is deeper in a round that began without idle time is refused.
const DEEP_MS = 150
// A full window may be chance, unless its rounds are long.
const FULL_WINDOWS = 3
const DEEPEST_CUT = 0.3
// Connections queue in the kernel if the loop was full for so many windows, and most rounds followed at once and accepted one.
const COLD_WINDOWS = 2
const COLD_SHARE = 0.6
const NEXT_MS = 5
// Routes that together need no more than this share of the loop are not what fills it.
const FITS = 0.5

/** What a route uses of the loop. */
export class LoopUse {
  /** In the present window. */
  asked = 0
  admitted = 0
  spentMs = 0
  /** The time that a request of it spends in its round, in milliseconds. */
  costMs = 0
  /** The time that all its requests of the last window would have spent, in milliseconds. */
  neededMs = 0
  /** Whether the route is not what fills the loop, because it needs little of it. */
  fits = false
  /** How long its requests may wait for the loop while they are in flight, in milliseconds. */
  waitMs = 0
}

/**
 * Bounds how many requests a round of the event loop admits, while the loop is full. It is full if it finds no idle time. How many
 * requests wait for something else, such as for a downstream that hangs, does not matter here.
 *
 * Node accepts one connection a round. So a surge on new connections queues in the kernel, and each round looks calm. Then what comes
 * is refused until the loop has been idle again: quick rounds empty that queue.
 */
export class LoopGuard {
  /** How many requests a round may admit. */
  cap: number = Number.POSITIVE_INFINITY
  readonly #fit: TierFit
  readonly #isEnforced: boolean
  readonly #uses = new Set<LoopUse>()
  #isCold = false
  /** Of the present round. */
  #startedAt = 0
  #isBusy = false
  #admitted = 0
  #lowest = 0
  #isNext = false
  #accepts = false
  #lengthBefore = 0
  /** The request that runs now, or the last one. */
  #running: LoopUse | undefined
  #enteredAt = 0
  #idleAt = 0
  #waitMs = 0
  /** Of the present window. */
  #since = 0
  #idleMs = 0
  #rounds = 0
  #accepting = 0
  #bounded = 0
  #fullWindows = 0
  #isOver = false

  constructor(fit: TierFit, isEnforced: boolean) {
    this.#fit = fit
    this.#isEnforced = isEnforced
  }

  /**
   * A round begins.
   *
   * @param idleMs how long the loop was idle since the round before
   * @param endedAt when that ended
   */
  open(now: number, idleMs: number, endedAt: number): void {
    this.#account(endedAt)
    this.#lengthBefore = endedAt - this.#startedAt
    this.#idleMs += idleMs
    // Where refusals alone fill the loop, half of its time is for answers.
    if (idleMs > 0 || now - this.#idleAt > 4 * ROUND_MS) this.#idleAt = now
    this.#isBusy = idleMs === 0
    this.#waitMs = this.#isBusy ? Math.max(this.#lengthBefore, this.#waitMs * 0.9) : this.#waitMs * 0.5
    for (const use of this.#uses)
      use.waitMs =
        use.fits || this.cap === Number.POSITIVE_INFINITY ? this.#waitMs : Math.min(this.#waitMs, ROUND_MS)
    this.#startedAt = now
    const ms = now - this.#since
    if (this.#rounds === 0) this.#begin(now)
    else if (ms >= WINDOW_MS && (this.#rounds >= WINDOW_ROUNDS || ms >= WINDOW_LONG_MS)) this.#judge(now, ms)
    this.#rounds++
    this.#admitted = 0
    this.#lowest = 0
    if (this.#accepts) this.#accepting++
    this.#accepts = false
    this.#isNext = now - endedAt < NEXT_MS
  }

  /**
   * Whether this round may admit a request. What the limit of its route refuses afterwards counts to the round, too: where it
   * did not, one of twelve simulated applications answered a seventh less.
   *
   * @param isFirst whether it is the first of its connection
   */
  admits(now: number, rank: number, use: LoopUse, isFirst: boolean): boolean {
    this.#account(now)
    this.#uses.add(use)
    use.asked++
    if (rank > this.#lowest) this.#lowest = rank
    if (isFirst) this.#accepts = this.#isNext
    if (use.fits || this.#fit.isSafe(rank)) return true
    if (this.#refuses(now, rank)) return false
    this.#admitted++
    this.#bounded++
    return true
  }

  /** Notes that a request runs now, because the limit of its route has admitted it, too. */
  runs(now: number, use: LoopUse): void {
    use.admitted++
    this.#running = use
    this.#enteredAt = now
  }

  #refuses(now: number, rank: number): boolean {
    const depth = now - this.#startedAt
    // In shadow mode no refusal shortens a round, so the bound grows with the length of the round before.
    if (!this.#isEnforced) return this.#isOver && depth > Math.max(ROUND_MS, this.#lengthBefore / 2)
    if (this.#isCold && rank > 0 && now - this.#idleAt > 2 * ROUND_MS) return true
    if (this.cap !== Number.POSITIVE_INFINITY) return this.#admitted >= this.#fit.placesOf(rank, this.cap)
    // Less important ones go first.
    return this.#isBusy && rank > 0 && this.#admitted > 1 && depth > DEEP_MS * (1 + this.#lowest - rank)
  }

  /** The time since a request was admitted is its own, until the next one comes. */
  #account(now: number): void {
    const use = this.#running
    if (use !== undefined) use.spentMs += Math.max(0, now - this.#enteredAt)
    this.#running = undefined
  }

  #judge(now: number, ms: number): void {
    const idle = this.#idleMs / ms
    const rounds = this.#rounds
    const round = ms / rounds
    this.#fullWindows = idle < FULL ? this.#fullWindows + 1 : 0
    const isCertain = this.#fullWindows >= FULL_WINDOWS && round > 2 * ROUND_MS
    this.#isOver = idle < FULL && (this.#isOver || isCertain || round > DEEP_MS / 2)
    const wantedMs = this.cap === Number.POSITIVE_INFINITY ? 1.5 * ROUND_MS : ROUND_MS
    if (idle >= SPARE) this.cap *= idle >= HALF ? Number.POSITIVE_INFINITY : 2
    else if (idle >= FULL) this.cap *= 1.25
    else if (round <= ROUND_MS) this.cap *= round < ROUND_MS / 2 ? 1.25 : 1.1
    else if (this.#isOver)
      this.cap = Math.max(
        1,
        Math.min(this.cap, this.#bounded / rounds) * Math.max(DEEPEST_CUT, wantedMs / round),
      )
    if (this.cap > 4000) this.cap = Number.POSITIVE_INFINITY
    this.#isCold =
      (this.#isCold ? idle < SPARE : this.#fullWindows >= COLD_WINDOWS) &&
      this.#accepting >= COLD_SHARE * rounds
    this.#fitRoutes(ms)
    this.#begin(now)
  }

  /** Finds the routes that are not what fills the loop: those that need the least of it, as long as they fit together. */
  #fitRoutes(ms: number): void {
    let spent = 0
    for (const use of this.#uses) {
      spent += use.spentMs
      if (use.admitted > 0) use.costMs = use.spentMs / use.admitted
      use.neededMs = use.asked * use.costMs
    }
    // Handlers that use the processor after a wait do so where nobody sees whose time it is.
    const isKnown = spent >= FITS * ms
    let needed = 0
    for (const use of [...this.#uses].sort((a, b) => a.neededMs - b.neededMs)) {
      needed += use.neededMs
      use.fits = isKnown && needed <= FITS * ms
    }
  }

  #begin(now: number): void {
    for (const use of this.#uses) use.asked = use.admitted = use.spentMs = 0
    this.#uses.clear()
    this.#since = now
    this.#idleMs = 0
    this.#rounds = 0
    this.#accepting = 0
    this.#bounded = 0
  }
}
