import {
  type Cell,
  type Cells,
  decide,
  type Group,
  Mode,
  type State,
  type Store,
  type Verdict,
  waitFor,
} from '@halt/core/store'
import { HaltError } from '@halt/core'

import { type Clock, microseconds } from './clock.ts'
import { Eviction } from './eviction.ts'
import { Table } from './table.ts'

/** Options of {@link InMemoryStore}. */
export interface InMemoryStoreOptions {
  /** The most counters kept at once. Default 1 000 000. */
  maxKeys?: number
  /** Unix milliseconds, fractions allowed. Default: a monotonic clock; whatever it does, time never goes back. */
  clock?: Clock
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
  readonly #now: () => number
  readonly #tables = new Map<string, Table>()
  readonly #eviction: Eviction
  readonly #cells: Cells
  // The last counter looked up: a check reads and then keeps the same one.
  #cell = ''
  #table: Table | undefined

  constructor(options: InMemoryStoreOptions = {}) {
    const { maxKeys = 1_000_000, clock } = validate(options)
    this.#now = microseconds(clock)
    this.#eviction = new Eviction(maxKeys, this.#tables)
    this.#cells = {
      load: (subject, cell) => this.#find(cell).load(subject),
      keep: (subject, cell, state, freshAt) => this.#keep(subject, cell, state, freshAt),
    }
  }

  evaluate(group: Group): Verdict {
    const verdict = decide(group, this.#cells, this.#now())
    if (!verdict.allowed) this.#hold(group, verdict)
    return verdict
  }

  forget(cells: readonly Cell[]): void {
    for (const { subject, cell } of cells) {
      if (this.#tables.get(cell)?.delete(subject)) this.#eviction.count--
    }
  }

  /** Forgets every counter. */
  clear(): void {
    this.#tables.clear()
    this.#table = undefined
    this.#cell = ''
    this.#eviction.count = 0
  }

  /** How many counters are kept, expired ones that were not yet met included. */
  get size(): number {
    return this.#eviction.count
  }

  #find(cell: string): Table {
    if (cell === this.#cell && this.#table !== undefined) return this.#table
    let table = this.#tables.get(cell)
    if (table === undefined)
      this.#tables.set(cell, (table = new Table(cell.slice(cell.lastIndexOf(':') + 1)[0] ?? 'i')))
    this.#cell = cell
    return (this.#table = table)
  }

  #keep(subject: string, cell: string, state: State, freshAt: number): void {
    const table = this.#find(cell)
    const now = this.#now()
    if (freshAt <= now) {
      if (table.delete(subject)) this.#eviction.count--
    } else if (table.save(subject, state)) this.#eviction.admit(table, subject, now)
  }

  #hold(group: Group, verdict: Verdict): void {
    for (const [i, demand] of group.demands.entries()) {
      if (verdict.passes[i] === true || demand.mode !== Mode.CHARGE) continue
      const wait = waitFor(demand, verdict.states[i]!, verdict)
      if (wait !== Number.POSITIVE_INFINITY)
        this.#find(demand.rule.cell).hold(demand.subject, verdict.now + wait)
    }
  }
}

function validate(options: InMemoryStoreOptions): InMemoryStoreOptions {
  const known = ['maxKeys', 'clock']
  const unknown = Object.keys(options).find(name => !known.includes(name))
  const bad = (message: string, fix: string): HaltError => new HaltError('HALT_E_STORE_OPTION', message, fix)
  if (unknown !== undefined) {
    throw bad(`InMemoryStore has no option "${unknown}".`, `Its options are ${known.join(' and ')}.`)
  }
  const { maxKeys, clock } = options
  if (maxKeys !== undefined && !(Number.isInteger(maxKeys) && maxKeys >= 1 && maxKeys <= 16_000_000)) {
    throw bad(
      `maxKeys is ${String(maxKeys)}.`,
      'Give a whole number from 1 to 16000000 (the most that one Map holds).',
    )
  }
  if (clock !== undefined && typeof clock !== 'function') {
    throw bad('clock is not a function.', 'Give a function that returns Unix milliseconds, or leave it out.')
  }
  return options
}
