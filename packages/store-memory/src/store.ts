import {
  type CounterId,
  type Counters,
  decide,
  type Digest,
  type Group,
  makeDigest,
  Mode,
  type State,
  type Store,
  type Evaluation,
  waitFor,
} from '@halt/core/store'
import { fromCaller, HaltError } from '@halt/core'

import { type Clock, microseconds } from './clock.ts'
import { Eviction } from './eviction.ts'
import { Table } from './table.ts'
import { TABLE_BYTES, Tally } from './tally.ts'

/** How many bytes there are for each of `maxKeys`. Most counters take less; one that takes more has the place of several. */
const BYTES_A_KEY = 256
// For the tables of some hundred policies, so that they take nothing of a small store.
const BYTES_BESIDE = 1 << 20
// Longer names are kept as digests.
const LONGEST_NAME = 256

/** Options of {@link InMemoryStore}. */
export interface InMemoryStoreOptions {
  /**
   * The most counters kept at once. Default 1 000 000. All of them together take at most 256 bytes times this, and a
   * megabyte: counters that are larger than 256 bytes have the place of several.
   */
  readonly maxKeys?: number | undefined
  /** Unix milliseconds, fractions allowed. Default: a monotonic clock; whatever it does, time never goes back. */
  readonly clock?: Clock | undefined
}

/**
 * Counters in this process's memory: synchronous inside, bounded, without timers.
 *
 * Counters are not shared between processes and end with this one. Past `maxKeys` the counters that matter least go
 * first: expired, then any other that is not being refused; a refused or blocked key goes only when all are.
 *
 * @throws HaltError `HALT_E_STORE_OPTION` when an option is unknown or out of range
 * @example
 * const limiter = new RateLimiter({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
 */
export class InMemoryStore implements Store {
  readonly kind: string = 'memory'
  readonly isShared: boolean = false
  readonly isChecked: boolean = true
  /** The clock that decides, Unix milliseconds. Bound: a wrapped store tells it, too. */
  readonly clock: () => number = () => this.#now() / 1000
  readonly #now: () => number
  readonly #tables = new Map<string, Table>()
  readonly #tally = new Tally()
  readonly #eviction: Eviction
  readonly #digest: Digest = makeDigest()
  readonly #access: Counters
  // The last counter looked up: a check reads and then keeps the same one.
  #at = 0
  #cell = ''
  #detail = ''
  #table: Table | undefined
  // The last name that was too long to keep, and what stands for it.
  #long = ''
  #short = ''

  constructor(options: InMemoryStoreOptions = {}) {
    const { maxKeys = 1_000_000, clock } = fromCaller(InMemoryStore, () => validate(options))
    this.#now = microseconds(clock)
    const caps = { keys: maxKeys, bytes: maxKeys * BYTES_A_KEY + BYTES_BESIDE }
    this.#eviction = new Eviction(caps, this.#tally, this.#tables, table => this.#forgetTable(table))
    this.#access = {
      load: (subject, counter) => {
        const table = this.#find(counter)
        return table.load(this.#name(subject))
      },
      keep: (subject, counter, state, freshAt) => this.#keep(subject, counter, state, freshAt),
    }
  }

  evaluate(group: Group): Evaluation {
    this.#at = this.#now()
    const evaluation = decide(group, this.#access, this.#at)
    if (!evaluation.allowed) this.#hold(group, evaluation)
    return evaluation
  }

  forget(counters: readonly CounterId[]): number {
    let count = 0
    for (const { subject, counter } of counters)
      if (this.#eviction.drop(this.#find(counter), this.#name(subject))) count++
    return count
  }

  /** Forgets every counter. */
  clear(): void {
    this.#tables.clear()
    this.#table = undefined
    this.#cell = ''
    this.#tally.keys = 0
    this.#tally.bytes = 0
  }

  /** How many counters are kept, expired ones that were not yet met included. */
  get size(): number {
    return this.#tally.keys
  }

  /** The most bytes that these counters take, by an estimate that is rather too high. */
  get bytes(): number {
    return this.#tally.bytes
  }

  /**
   * The table of a cell `{counter}:{letter}`. All cells `{counter}@{detail}:{letter}` of a counter share another one, where
   * the detail is a part of each name.
   */
  #find(counter: string): Table {
    if (counter === this.#cell && this.#table !== undefined) return this.#table
    const at = counter.indexOf('@')
    const end = counter.lastIndexOf(':')
    const name = at < 0 ? counter : counter.slice(0, at + 1) + counter.slice(end)
    let table = this.#tables.get(name)
    if (table === undefined)
      this.#tables.set(name, (table = new Table(name, counter.slice(end + 1), this.#tally)))
    this.#cell = counter
    this.#detail = at < 0 ? '' : ` ${counter.slice(at + 1, end)}`
    return (this.#table = table)
  }

  // Injective within a table: a cell has no space, and no subject begins with a control character.
  #name(subject: string): string {
    const name = this.#detail === '' ? subject : subject + this.#detail
    if (name.length <= LONGEST_NAME) return name
    if (name !== this.#long) {
      this.#long = name
      this.#short = `\0${this.#digest(name)}`
    }
    return this.#short
  }

  #keep(subject: string, counter: string, state: State, freshAt: number): void {
    const table = this.#find(counter)
    const name = this.#name(subject)
    const now = this.#at
    if (freshAt <= now) {
      this.#eviction.drop(table, name)
      return
    }
    const isNew = table.save(name, state, now)
    if (isNew) this.#eviction.sweep(table, now)
    this.#eviction.trim(table, name, now)
  }

  #forgetTable(table: Table): void {
    this.#tables.delete(table.name)
    this.#tally.bytes -= TABLE_BYTES
    if (table === this.#table) this.#table = undefined
  }

  #hold(group: Group, evaluation: Evaluation): void {
    for (const [i, demand] of group.demands.entries()) {
      if (evaluation.passes[i] === true || demand.mode !== Mode.CHARGE) continue
      const wait = waitFor(demand, evaluation.states[i]!, evaluation)
      if (wait === Number.POSITIVE_INFINITY) continue
      this.#find(demand.rule.counter).hold(this.#name(demand.subject), evaluation.now + wait)
    }
  }
}

function validate(options: InMemoryStoreOptions): InMemoryStoreOptions {
  const known = ['maxKeys', 'clock']
  const bad = (message: string, fix: string): HaltError => new HaltError('HALT_E_STORE_OPTION', message, fix)
  if (typeof options !== 'object' || options === null)
    throw bad(`InMemoryStore got ${String(options)}.`, `Give options, ${known.join(' and ')}, or nothing.`)
  const unknown = Object.entries(options).find(
    ([name, value]) => value !== undefined && !known.includes(name),
  )?.[0]
  if (unknown !== undefined) {
    throw bad(`InMemoryStore has no option "${unknown}".`, `Its options are ${known.join(' and ')}.`)
  }
  const { maxKeys, clock } = options
  if (maxKeys !== undefined && !(Number.isInteger(maxKeys) && maxKeys >= 1 && maxKeys <= 16_000_000)) {
    throw bad(
      `maxKeys is ${String(maxKeys)} (${typeof maxKeys}).`,
      'Give a whole number from 1 to 16000000 (the most that one Map holds).',
    )
  }
  if (clock !== undefined && typeof clock !== 'function') {
    throw bad('clock is not a function.', 'Give a function that returns Unix milliseconds, or leave it out.')
  }
  return options
}
