// The bucket that callers wait for, as the store keeps it: what it owes, and the line of those that wait. Part of the model of the line
// (line-model.ts), written from the rules of the protocol. It shares no code with the sources.

/** The numbers that never change. Debt is counted in parts of a unit, so that a unit of cost adds `unit`. */
export interface Terms {
  readonly unit: number
  /** Cost units that may start at once. */
  readonly capacity: number
  /** How long a process waits for news before it asks for some. */
  readonly look: number
  /** How long a line is kept after the last of its callers has started. */
  readonly echo: number
  /** The time within which a refund is applied. */
  readonly refundTime: number
  /** The processes among which the limit is divided where the store gives no place. */
  readonly instances: number
}

/** A place in a line: the units up to its end, and the line. */
export interface Place {
  readonly position: number
  readonly born: number
}

/** The place of somebody who is charged and for whom nobody must wait. */
export const NOBODY_AHEAD: Place = { position: 0, born: -1 }

/** The line of a bucket. */
export interface Line {
  /** When it began, which is its id. */
  readonly born: number
  /** The units that were ever placed in it. */
  readonly tail: number
  /** Refunds that are not applied yet. */
  readonly pool: number
  readonly until: number
  /** Places that were given back and that the front has not reached: the end of each, and its units. */
  readonly holes: readonly (readonly [end: number, units: number])[]
  /** For the ledger alone: the units of those that it has reached. */
  readonly swept: number
}

/** A bucket. A fresh one is undefined. */
export interface Bucket {
  readonly at: number
  readonly debt: number
  /** The debt that an instant pays. */
  readonly rate: number
  readonly line: Line | undefined
}

/** What a bucket tells with each answer. */
export interface Reading {
  readonly born: number
  readonly tail: number
  /** Debt that those in front may still add before the position 0 starts. */
  readonly front: number
  readonly pool: number
  readonly holes: Line['holes']
}

/** Mistakes of the store. */
export type StoreMistake =
  | 'moves those in front of a caller that leaves'
  | 'pays past time at the new rate'
  | 'lets those who wait keep the old rate'

/** What the store does. */
export class BucketRules {
  readonly #terms: Terms
  readonly #room: number
  readonly #mistake: string | undefined

  constructor(terms: Terms, mistake: string | undefined) {
    this.#terms = terms
    this.#room = terms.capacity * terms.unit
    this.#mistake = mistake
  }

  /** A bucket as the store finds it: one that is full is a fresh one. */
  live(bucket: Bucket | undefined, now: number): Bucket | undefined {
    if (bucket === undefined) return undefined
    const { at, debt, rate, line } = bucket
    const full = at + Math.ceil(debt / rate)
    return Math.max(full, line === undefined ? full : line.until + 1) <= now ? undefined : bucket
  }

  /** Somebody asks for units, and would wait. Returns the wait; undefined if it is refused. */
  ask(
    found: Bucket | undefined,
    now: number,
    { cost, rate, maxWait }: { readonly cost: number; readonly rate: number; readonly maxWait: number },
  ): { readonly bucket: Bucket | undefined; readonly wait: number | undefined; readonly isPlaced: boolean } {
    const paid = this.#paid(found, now, rate)
    const debt = paid.debt + cost * this.#terms.unit
    if (debt <= this.#room) return { bucket: this.#keep({ ...paid, debt }, now), wait: 0, isPlaced: false }
    // Those that have left will be gone when it starts.
    const ahead = debt - sumOf(paid.line?.holes ?? []) * this.#terms.unit - this.#room
    const wait = this.timeToPay(ahead, paid.line?.pool ?? 0, rate)
    if (cost > this.#terms.capacity || maxWait <= 0 || wait > maxWait)
      return { bucket: found, wait: undefined, isPlaced: false }
    return { bucket: this.#join(paid, now, cost), wait, isPlaced: true }
  }

  /** Gives callers that have no place the last places, in one block. It is never refused. */
  place(found: Bucket | undefined, now: number, cost: number, rate: number): Bucket {
    return this.#join(this.#paid(found, now, this.#ownRate(found, now, rate)), now, cost)
  }

  /** Somebody asks for news. It brings the line the rate of its policy. */
  look(found: Bucket | undefined, now: number, rate: number): Bucket | undefined {
    if (found?.line === undefined) return found
    const isOld = this.#mistake === 'lets those who wait keep the old rate'
    return this.#keep(this.#paid(found, now, isOld ? found.rate : rate), now)
  }

  /** A caller gives its place back. Those behind it move up, when the front has come to it at the latest. */
  leave(
    found: Bucket | undefined,
    now: number,
    cost: number,
    place: Place,
    rate: number,
  ): Bucket | undefined {
    if (found === undefined) return undefined
    const paid = this.#paid(found, now, this.#ownRate(found, now, rate))
    const { line } = paid
    const units = cost * this.#terms.unit
    if (line === undefined) return { ...paid, debt: Math.max(0, paid.debt - units) }
    const { position, born } = place
    const isThere = line.born === born && position <= line.tail && position >= cost
    const after = { ...paid, line, debt: paid.debt - units }
    if (isThere && position === line.tail)
      return this.#settled({ ...after, line: { ...line, tail: line.tail - cost } }, now)
    const isAhead = paid.debt - (line.tail - position + cost) * this.#terms.unit > this.#room
    if (isThere && isAhead && this.#mistake !== 'moves those in front of a caller that leaves')
      return this.#settled({ ...paid, line: { ...line, holes: adding(line.holes, position, cost) } }, now)
    // Nobody has used its units. A place that the line does not have was at its turn.
    const swept = line.swept + (isThere ? cost : 0)
    return this.#settled({ ...after, line: { ...line, swept } }, now)
  }

  /** Units come back that somebody had and did not use. While others wait, they are applied little by little. */
  refund(found: Bucket | undefined, now: number, cost: number, rate: number): Bucket {
    const paid = this.#paid(found, now, this.#ownRate(found, now, rate))
    const back = cost * this.#terms.unit
    const { line } = paid
    if (line === undefined || paid.debt <= this.#room)
      return this.#keep({ ...paid, debt: Math.max(0, paid.debt - back) }, now)
    return this.#keep({ ...paid, line: { ...line, pool: line.pool + Math.min(back, this.#room) } }, now)
  }

  /** What the store would tell of a bucket at an instant, if nobody brought it another rate. */
  readAt(bucket: Bucket | undefined, now: number): Reading | undefined {
    return bucket?.line === undefined ? undefined : this.read(this.#paid(bucket, now, bucket.rate))
  }

  /** What the store tells of a bucket. */
  read(bucket: Bucket | undefined): Reading | undefined {
    if (bucket?.line === undefined) return undefined
    const { born, tail, pool, holes } = bucket.line
    return { born, tail, front: this.#room - bucket.debt + tail * this.#terms.unit, pool, holes }
  }

  /** How long time and refunds take to pay a debt. */
  timeToPay(debt: number, pool: number, rate: number): number {
    if (debt <= 0) return 0
    const both = rate + this.#speedUp(pool, rate)
    const slow = Math.ceil(debt / rate)
    return pool === 0 ? slow : Math.max(Math.ceil(debt / both), Math.ceil((debt - pool) / rate))
  }

  /** The debt that is still to be paid until a place starts; 0 or less if its turn has come. */
  owedAt(position: number, { front, holes }: Reading): number {
    const gone = holes.reduce((sum, [end, units]) => (end <= position ? sum + units : sum), 0)
    return (position - gone) * this.#terms.unit - front
  }

  #speedUp(pool: number, rate: number): number {
    return Math.max(rate, Math.floor(pool / this.#terms.refundTime))
  }

  /** A correction leaves a bucket that owes something the rate that it has. */
  #ownRate(found: Bucket | undefined, now: number, rate: number): number {
    if (found === undefined) return rate
    const isOwed = found.line !== undefined || Math.max(0, now - found.at) * found.rate < found.debt
    return isOwed ? found.rate : rate
  }

  /** A bucket at an instant. Its line pays the time before that at the old rate. */
  #paid(found: Bucket | undefined, now: number, rate: number): Bucket {
    if (found === undefined) return { at: now, debt: 0, rate, line: undefined }
    const elapsed = Math.max(0, now - found.at)
    const at = Math.max(found.at, now)
    const { line, debt } = found
    if (line === undefined) {
      const isFull = elapsed * found.rate >= debt
      return { at, debt: isFull ? 0 : Math.max(0, debt - elapsed * rate), rate, line }
    }
    const past = this.#mistake === 'pays past time at the new rate' ? rate : found.rate
    const extra = Math.min(line.pool, this.#speedUp(line.pool, past) * elapsed)
    const owed = debt - past * elapsed - extra
    return this.#swept({ at, debt: owed, rate, line: { ...line, pool: line.pool - extra } })
  }

  #join(paid: Bucket, now: number, cost: number): Bucket {
    const debt = paid.debt + cost * this.#terms.unit
    const { line } = paid
    if (line !== undefined)
      return this.#keep({ ...paid, debt, line: { ...line, tail: line.tail + cost } }, now)
    if (debt <= this.#room) return { ...paid, debt }
    const born: Line = { born: now, tail: cost, pool: 0, until: 0, holes: [], swept: 0 }
    return this.#keep({ ...paid, debt, line: born }, now)
  }

  #settled(bucket: Bucket & { readonly line: Line }, now: number): Bucket {
    return this.#keep(this.#swept(bucket), now)
  }

  /** Removes places that were given back: those that the front has reached, and those at the end. */
  #swept(bucket: Bucket & { readonly line: Line }): Bucket {
    const { unit } = this.#terms
    let { debt, line } = this.#applied(bucket)
    for (const [end, units] of line.holes) {
      if (debt - (line.tail - end + units) * unit > this.#room) break
      debt -= units * unit
      line = { ...line, holes: line.holes.slice(1), swept: line.swept + units }
    }
    for (const [end, units] of line.holes.toReversed()) {
      if (end !== line.tail) break
      debt -= units * unit
      line = { ...line, holes: line.holes.slice(0, -1), tail: line.tail - units }
    }
    return this.#applied({ ...bucket, debt, line })
  }

  /** What is left of refunds counts at once when nobody waits. */
  #applied(bucket: Bucket & { readonly line: Line }): Bucket & { readonly line: Line } {
    if (bucket.debt > this.#room) return bucket
    const { line } = bucket
    return { ...bucket, debt: Math.max(0, bucket.debt - line.pool), line: { ...line, pool: 0 } }
  }

  /** Keeps a line for as long as somebody may wait in it, and so long that every process hears of its end. */
  #keep(bucket: Bucket, now: number): Bucket {
    const { line, debt, rate } = bucket
    if (line === undefined) return bucket
    if (debt > this.#room) {
      const until = now + Math.max(0, Math.ceil((debt - this.#room) / rate)) + this.#terms.echo
      return { ...bucket, line: { ...line, until: Math.max(line.until, until) } }
    }
    return now > line.until ? { ...bucket, line: undefined } : bucket
  }
}

/** The units of places that were given back. */
export function sumOf(holes: Line['holes']): number {
  return holes.reduce((sum, [, units]) => sum + units, 0)
}

/** Notes a place that was given back. Neighbours are one. */
function adding(holes: Line['holes'], end: number, units: number): Line['holes'] {
  const merged: (readonly [number, number])[] = []
  for (const hole of [...holes, [end, units] as const].toSorted((a, b) => a[0] - b[0])) {
    const before = merged.at(-1)
    if (before !== undefined && before[0] === hole[0] - hole[1])
      merged[merged.length - 1] = [hole[0], before[1] + hole[1]]
    else merged.push(hole)
  }
  return merged
}
