import { statSync } from 'node:fs'

import { movedError } from './store-error.ts'

// perf: bench "SQLite"; to look takes five microseconds, a third of a check.
const INTERVAL_MS = 1_000

/**
 * Notices that the file of a database is not at its path any more. A process goes on with a file that was deleted or replaced, while a
 * process that starts later opens another: each would admit the whole limit.
 *
 * It looks once a second, so a process admits at most a second's requests by the old file.
 */
export class MovedFile {
  readonly #path: string
  readonly #now: () => number
  #seen: string | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  /** @param now a clock in milliseconds */
  constructor(path: string, now: () => number) {
    this.#path = path
    this.#now = now
  }

  /** Takes the files that stand at the path now for those that the connection has open. */
  remember(): void {
    this.#seen ??= this.#identity()
    this.#lookedAt = this.#now()
  }

  /** @throws StoreError `HALT_E_STORE_UNAVAILABLE` if the files are others, until they are back */
  check(): void {
    const now = this.#now()
    // A clock that was set back must not delay the look.
    if (now >= this.#lookedAt && now - this.#lookedAt < INTERVAL_MS) return
    const found = this.#identity()
    if (found !== undefined && this.#seen !== undefined && found !== this.#seen) throw movedError(this.#path)
    this.#lookedAt = now
  }

  /**
   * The file, its log and the memory that the processes share. SQLite keeps all three while a connection is open. Undefined if it cannot be
   * told, for example because the folder may not be searched any more.
   */
  #identity(): string | undefined {
    try {
      return ['', '-wal', '-shm'].map(ending => identityOf(this.#path + ending)).join(' ')
    } catch {
      return undefined
    }
  }
}

function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? 'none' : `${stat.dev}:${stat.ino}`
}
