import type { LoggedRequest } from '../log/logged-request.ts'

/** How far ahead of all lines before it a line is doubted, in milliseconds: a day. */
export const FAR_MS = 86_400_000
/** After how many lines a later date is believed, because a fault seldom dates so many in a row. */
const BELIEVED = 20
/** How far ahead the last lines of a log may be, in milliseconds: a year. Nothing behind them tells whether they are right. */
const FAR_AT_THE_END_MS = 366 * FAR_MS

type Use = (request: LoggedRequest) => void | Promise<void>

/**
 * Leaves out lines with a date that is far ahead of the lines around them. The clock of a replay never goes back, so that one such line
 * would move all later ones to its date.
 */
export class FarDates {
  /** How many lines were left out. */
  skipped = 0
  readonly #use: Use
  #latest: number | undefined
  #held: LoggedRequest[] = []

  /** @param use gets the other lines, in their order */
  constructor(use: Use) {
    this.#use = use
  }

  /** Takes the next line. Synchronous unless `use` is not. */
  add(request: LoggedRequest): void | Promise<void> {
    const { at } = request
    if (this.#held.length === 0 && this.#latest !== undefined && at <= this.#latest + FAR_MS) {
      if (at > this.#latest) this.#latest = at
      return this.#use(request)
    }
    return this.#weigh(request)
  }

  /** The log is over. */
  end(): void | Promise<void> {
    const [first] = this.#held
    if (first === undefined || first.at - (this.#latest ?? first.at) <= FAR_AT_THE_END_MS)
      return this.#believe()
    this.#doubt()
  }

  #weigh(request: LoggedRequest): void | Promise<void> {
    const [first] = this.#held
    if (first !== undefined && request.at < first.at - FAR_MS) {
      this.#doubt()
      return this.add(request)
    }
    // One line alone says nothing. The second one confirms the first of a log, or shows that it is wrong.
    if (this.#latest === undefined && first !== undefined) {
      const before = this.#believe()
      return before === undefined ? this.add(request) : before.then(() => this.add(request))
    }
    this.#held.push(request)
    if (this.#held.length >= BELIEVED) return this.#believe()
  }

  #doubt(): void {
    this.skipped += this.#held.length
    this.#held = []
  }

  #believe(): void | Promise<void> {
    const held = this.#held
    this.#held = []
    for (const { at } of held) this.#latest = Math.max(this.#latest ?? at, at)
    return this.#useAll(held, 0)
  }

  #useAll(held: readonly LoggedRequest[], from: number): void | Promise<void> {
    for (let i = from; i < held.length; i++) {
      const waiting = this.#use(held[i] as LoggedRequest)
      if (waiting !== undefined) return waiting.then(() => this.#useAll(held, i + 1))
    }
  }
}
