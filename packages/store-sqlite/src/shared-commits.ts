import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

import type { Evaluation, Group } from '@halt/core/store'

import type { Connection } from './connection.ts'
import { inLaterTurns } from './lock.ts'

// A transaction of so many checks takes a few milliseconds, in which the event loop stands still.
const MOST_CHECKS = 128
// Longer than the pause of a process that waits for the lock, so that each pause of this one lets another in.
const LEAST_PAUSE_MS = 2
const MOST_PAUSE_MS = 20
// The limiter does not wait so long: see `storeTimeout`.
const PATIENCE_MS = 1_000
// For so long after a commit of another process, this one pauses.
const COMPANY_MS = 1_000

interface Entry {
  readonly group: Group
  readonly resolve: (evaluation: Evaluation) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets the checks of one turn of the event loop share a transaction, and so one wait for the disk.
 *
 * A process that commits without a pause would hardly let another have the lock. So while other processes commit too, it leaves the lock
 * free for as long as it had it, 2 to 20 milliseconds. Otherwise a turn of the event loop is enough.
 *
 * Nobody waits for the lock in the event loop's time.
 */
export class SharedCommits {
  readonly #connection: Connection
  readonly #decide: (groups: readonly Group[]) => readonly (Evaluation | Error)[]
  #waiting: Entry[] = []
  #isRunning = false
  #version: unknown
  #companyUntil = 0

  /** @param decide decides groups in one transaction, without a wait for the lock */
  constructor(connection: Connection, decide: (groups: readonly Group[]) => readonly (Evaluation | Error)[]) {
    this.#connection = connection
    this.#decide = decide
  }

  add(group: Group): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ group, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  /** Whether no check waits for a commit. */
  get isIdle(): boolean {
    return !this.#isRunning
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // The checks of this turn belong to the first transaction.
    await nextTurn()
    while (this.#waiting.length > 0) {
      const entries = this.#waiting.splice(0, MOST_CHECKS)
      const groups = entries.map(({ group }) => group)
      let began = 0
      const decide = (): readonly (Evaluation | Error)[] => {
        began = performance.now()
        return this.#decide(groups)
      }
      try {
        const decided = await inLaterTurns(decide, PATIENCE_MS)
        for (const [i, entry] of entries.entries()) settle(entry, decided[i] as Evaluation | Error)
      } catch (error) {
        for (const { reject } of entries) reject(error)
      }
      await this.#pause(performance.now() - began)
    }
    this.#isRunning = false
  }

  /** @param held how long this process had the lock, in milliseconds */
  #pause(held: number): Promise<unknown> {
    const now = performance.now()
    try {
      const version = this.#connection.pragma('data_version')
      // It only changes by the commits of other connections.
      if (this.#version !== undefined && version !== this.#version) this.#companyUntil = now + COMPANY_MS
      this.#version = version
    } catch {
      // The next check meets the same failure, and tells.
    }
    if (now >= this.#companyUntil) return nextTurn()
    return sleep(Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, held)))
  }
}

function settle({ resolve, reject }: Entry, decided: Evaluation | Error): void {
  if (decided instanceof Error) reject(decided)
  else resolve(decided)
}
