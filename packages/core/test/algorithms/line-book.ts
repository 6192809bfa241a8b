/** A caller in the book: it waits or has started, it has left and its units are still in line, or its units are out of it. */
interface Caller {
  readonly cost: number
  state: 'in' | 'left' | 'out'
}

/**
 * A bucket and its line as a list of callers, whose debt is paid microsecond by microsecond. It knows nothing of positions, sums or
 * formulas, so it shows whether the arithmetic of line.ts is right.
 */
export class LineBook {
  now = 0
  debt = 0
  /** Refunded debt that is not applied yet. */
  pool = 0
  cooldown = 0
  rate: number
  /** Whether there is a line. Without one a cool-down does not stop the payment. */
  hasLine = false
  callers: Caller[] = []
  readonly unit: number
  readonly room: number
  #speedUp = 0

  constructor(unit: number, rate: number, capacity: number) {
    this.unit = unit
    this.rate = rate
    this.room = capacity * unit
  }

  copy(): LineBook {
    const copy = Object.assign(new LineBook(this.unit, this.rate, 1), this)
    copy.callers = this.callers.map(caller => ({ ...caller }))
    copy.write()
    return copy
  }

  /** Fixes how fast refunds are applied from now on. Every write to the store does. */
  write(): void {
    this.#speedUp = Math.max(this.rate, Math.floor(this.pool / 1e6))
  }

  tick(): void {
    if (!this.hasLine) this.debt = Math.max(0, this.debt - this.rate)
    else if (this.now >= this.cooldown) {
      this.debt -= this.rate
      for (let i = 0; i < this.#speedUp && this.pool > 0; i++) {
        this.pool--
        this.debt--
      }
      if (this.debt <= this.room || this.left.length > 0) this.settle()
    }
    this.now++
  }

  join(cost: number): void {
    this.hasLine = true
    this.debt += cost * this.unit
    this.callers.push({ cost, state: 'in' })
  }

  leave(index: number): void {
    const caller = this.callers[index]!
    if (index === this.callers.length - 1) {
      this.callers.pop()
      this.debt -= caller.cost * this.unit
    } else caller.state = 'left'
    this.settle()
  }

  /** The units of the callers behind one, whatever has become of them. */
  behind(index: number): number {
    return this.callers.slice(index + 1).reduce((sum, { cost }) => sum + cost, 0)
  }

  mayStart(index: number): boolean {
    return this.debt - this.behind(index) * this.unit <= this.room
  }

  /** Takes out the callers that have left and have reached the front or the end. Applies refunds if nobody waits. */
  settle(): void {
    this.#applyPool()
    for (const [i, caller] of this.callers.entries()) {
      if (caller.state !== 'left') continue
      if (this.debt - (this.behind(i) + caller.cost) * this.unit > this.room) break
      caller.state = 'out'
      this.debt -= caller.cost * this.unit
    }
    while (this.callers.at(-1)?.state === 'left') this.debt -= this.callers.pop()!.cost * this.unit
    this.#applyPool()
  }

  get left(): Caller[] {
    return this.callers.filter(({ state }) => state === 'left')
  }

  #applyPool(): void {
    if (this.debt > this.room) return
    this.debt = Math.max(0, this.debt - this.pool)
    this.pool = 0
  }
}
