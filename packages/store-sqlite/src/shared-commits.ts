import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

import { Batcher, type BatchRules, type Evaluation, type Group } from '@halt/core/store'

import type { Connection } from './connection.ts'

// A transaction of so many counters takes a few milliseconds, in which the event loop stands still.
const MOST_COUNTERS = 256

const RULES: BatchRules = {
  loadOf: ({ demands }) => demands.length + 1,
  maxLoad: MOST_COUNTERS,
  // One file has one writer, so a second transaction would only wait for the first.
  minParallel: Number.POSITIVE_INFINITY,
  isWorthCall: pending => pending.count === 0,
}

// Longer than the longest pause of a process that waits for the lock, so that each pause of this one lets another in.
const PAUSE_MS = 2
// For so long after a commit of another process, this one pauses.
const COMPANY_MS = 1_000

/**
 * Lets the checks of one turn of the event loop share a transaction, and so one wait for the disk.
 *
 * A process that commits without a pause would hardly let another have the lock. So while other processes commit too, it leaves the lock
 * free for two milliseconds after each transaction. Otherwise a turn of the event loop is enough.
 */
export class SharedCommits {
  readonly #connection: Connection
  readonly #batcher: Batcher
  #line: Promise<unknown> = Promise.resolve()
  #version: unknown
  #companyUntil = 0

  /** @param decide decides groups in one transaction */
  constructor(connection: Connection, decide: (groups: readonly Group[]) => readonly (Evaluation | Error)[]) {
    this.#connection = connection
    this.#batcher = new Batcher(groups => {
      const answer = this.#line.then(() => decide(groups))
      this.#line = answer.then(
        () => this.#pause(),
        () => this.#pause(),
      )
      return answer
    }, RULES)
  }

  add(group: Group): Promise<Evaluation> {
    return this.#batcher.add(group)
  }

  /** Whether no check waits for a commit. */
  get isIdle(): boolean {
    return this.#batcher.isIdle
  }

  #pause(): Promise<unknown> {
    const now = performance.now()
    try {
      const version = this.#connection.pragma('data_version')
      // It only changes by the commits of other connections.
      if (this.#version !== undefined && version !== this.#version) this.#companyUntil = now + COMPANY_MS
      this.#version = version
    } catch {
      // The next check meets the same failure, and tells.
    }
    return now < this.#companyUntil ? sleep(PAUSE_MS) : nextTurn()
  }
}
