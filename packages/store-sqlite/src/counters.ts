import { type CounterId, type Counters, makeDigest, type State, StoreMisread } from '@halt/core/store'

import type { Connection } from './connection.ts'
import { columnOf } from './handle.ts'

/** A counter that a decision has changed: `state` is undefined if it equals a fresh one. */
interface Change {
  readonly key: string
  readonly state: string | undefined
  readonly expiresAt: number
}

// Longer keys would make every page of the table hold few of them.
const LONGEST_KEY = 400
const digest = /* @__PURE__ */ makeDigest()

/**
 * The key of a counter. JSON writes half of a surrogate pair as an escape, which a database in UTF-8 would not keep apart from others. No
 * list begins with a `#`.
 */
function keyOf(subject: string, counter: string): string {
  const key = JSON.stringify([subject, counter])
  return key.length <= LONGEST_KEY ? key : `#${digest(key)}`
}

/** The table of the counters, inside a transaction. */
export class CounterTable implements Counters {
  readonly hasOneClock: boolean
  readonly #connection: Connection
  readonly #load: string
  readonly #keep: string
  readonly #drop: string
  /** The instant of the decision, in microseconds. */
  now = 0
  readonly #changes: Change[] = []

  /** @param hasOneClock whether all processes go by one clock */
  constructor(connection: Connection, hasOneClock: boolean) {
    this.hasOneClock = hasOneClock
    this.#connection = connection
    const { counters } = connection.tables
    this.#load = `select state from ${counters} where key = ?`
    this.#keep = `insert into ${counters} values (?, ?, ?)
      on conflict (key) do update set state = excluded.state, expires_at = excluded.expires_at`
    this.#drop = `delete from ${counters} where key = ?`
  }

  load(subject: string, counter: string): State {
    const state = columnOf(this.#connection.prepare(this.#load).get(keyOf(subject, counter)), 'state')
    return state === undefined ? [] : parse(state, `${subject} ${counter}`)
  }

  /** Notes a change. It is written by {@link write}, so that a decision that fails half-way has changed nothing. */
  keep(subject: string, counter: string, state: State, freshAt: number): void {
    this.#changes.push({
      key: keyOf(subject, counter),
      state: freshAt <= this.now ? undefined : state.join(' '),
      expiresAt: Math.ceil(freshAt / 1000),
    })
  }

  /** Writes the changes of the decision. */
  write(): void {
    for (const { key, state, expiresAt } of this.#changes) {
      if (state === undefined) this.#connection.prepare(this.#drop).run(key)
      else this.#connection.prepare(this.#keep).run(key, state, expiresAt)
    }
  }

  /** Forgets the changes of a decision that was written or has failed. */
  forgetChanges(): void {
    this.#changes.length = 0
  }

  /** Removes counters. Returns how many existed. */
  remove(counters: readonly CounterId[]): number {
    const drop = this.#connection.prepare(this.#drop)
    return counters.reduce(
      (sum, { subject, counter }) => sum + Number(drop.run(keyOf(subject, counter)).changes),
      0,
    )
  }
}

function parse(text: unknown, counter: string): State {
  const state = typeof text === 'string' && text !== '' ? text.split(' ').map(Number) : [Number.NaN]
  if (state.every(Number.isFinite)) return state
  throw new StoreMisread(
    'a row of the file is not a counter',
    "Let nothing else write to the tables of the store's file.",
    counter,
  )
}
