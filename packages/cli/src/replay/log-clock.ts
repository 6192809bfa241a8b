/** The clock of a replay: the latest instant of the log so far. It never goes back. */
export class LogClock {
  /** Unix milliseconds. */
  now = 0
  /** The lines that were older than a line before them. They are decided at the latest instant. */
  outOfOrder = 0
  /** How far the oldest of them was behind, in milliseconds. */
  mostBehind = 0
  /** The first instant of the log. */
  from: number = Number.NaN
  readonly read: () => number = () => this.now

  advance(at: number): void {
    if (at >= this.now) {
      if (this.now === 0) this.from = at
      this.now = at
      return
    }
    this.outOfOrder++
    this.mostBehind = Math.max(this.mostBehind, this.now - at)
  }
}
