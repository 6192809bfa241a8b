import type { HaltWarning, Warn } from '@halt/core'

import { type Connection, toStoreError } from './connection/index.ts'
import { unexpectedReply, readWholeNumber } from './reply.ts'
import { heartbeat } from './scripts.ts'

const INTERVAL_MS = 5_000
const TTL_MS = 15_000

/** Counts the processes that use a store: each says so while it decides, and is forgotten when it stops. No timer. */
export class Heartbeat {
  readonly #connection: Connection
  readonly #key: string
  readonly #warn: Warn
  readonly #id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`
  #isUsed = false
  #nextAt = 0
  #count = 1

  constructor(connection: Connection, key: string, warn: Warn) {
    this.#connection = connection
    this.#key = key
    this.#warn = warn
  }

  /** The processes counted last, this one included. Who asks is one of them from then on. */
  get count(): number {
    this.#isUsed = true
    return this.#count
  }

  /** Says that this process is alive, when it is time to. */
  sendIfDue(): void {
    if (!this.#isUsed) return
    const now = performance.now()
    if (now < this.#nextAt || !this.#connection.ready) return
    this.#nextAt = now + INTERVAL_MS
    this.#send().catch((error: unknown) => {
      // The last count stands. A store that is away says so at the next check; what it forbids is said here.
      const { failure, message } = toStoreError(error)
      if (failure === 'misconfigured') this.#warn(permissionWarning(message))
    })
  }

  /** What should be mended for it to count; undefined when all is well, or nobody wants to know how many there are. */
  async inspect(): Promise<HaltWarning | undefined> {
    if (!this.#isUsed) return undefined
    try {
      await this.#send()
    } catch (error) {
      const { failure, message } = toStoreError(error)
      if (failure !== 'misconfigured') throw error
      return permissionWarning(message)
    }
    return undefined
  }

  async #send(): Promise<void> {
    const reply = await this.#connection.run(heartbeat, [this.#key], ['', this.#id, String(TTL_MS)])
    const count = readWholeNumber(reply)
    // This process is one of them.
    if (count === undefined || count < 1) throw unexpectedReply(reply)
    this.#count = count
  }
}

function permissionWarning(why: string): HaltWarning {
  return {
    code: 'HALT_W_PERMISSION',
    message: `Redis refuses to count the processes, so each takes the whole limit while it is away: ${why}.`,
    fix: 'Grant +zadd +zremrangebyscore +zcard +pexpire, or give the limiter their number: instances: 4.',
  }
}
