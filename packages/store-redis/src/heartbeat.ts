import type { HaltWarning, Warn } from '@halt/core'

import { type Connection, toStoreError } from './connection/index.ts'
import { readWholeNumber, unexpectedReply } from './reply-value.ts'
import { heartbeat } from './scripts.ts'

const INTERVAL_MS = 5_000
const TTL_MS = 15_000

/**
 * Counts the processes that share the limits. Each process writes its id into Redis while it decides or reads documents, as a
 * `Control` does every second, at most every 5 s, and is forgotten 15 s after the last write. It needs no timer.
 */
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

  /** The number of processes by the last count, this one included. The first read switches the heartbeat on. */
  get count(): number {
    this.#isUsed = true
    return this.#count
  }

  /**
   * Sends a heartbeat if the last one is 5 s old.
   *
   * @param now performance.now()
   */
  sendIfDue(now: number): void {
    if (!this.#isUsed) return
    if (now < this.#nextAt || !this.#connection.ready) return
    this.#nextAt = now + INTERVAL_MS
    this.#send().catch((error: unknown) => {
      // The last count stays. The next check reports an outage, but only this reports a missing permission.
      const { failure, message } = toStoreError(error)
      if (failure === 'misconfigured') this.#warn(permissionWarning(message))
    })
  }

  /** Resolves to a warning if Redis forbids the heartbeat; undefined if it works, or if the heartbeat is off. */
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

  /** Counts the processes that have sent a heartbeat during the last 15 s. This one sends none. */
  async ask(): Promise<number> {
    await this.#connection.opened
    const reply = await this.#connection.run(heartbeat, [this.#key], ['', '', String(TTL_MS)])
    const count = readWholeNumber(reply)
    if (count === undefined || count < 0) throw unexpectedReply(reply)
    return count
  }

  async #send(): Promise<void> {
    const reply = await this.#connection.run(heartbeat, [this.#key], ['', this.#id, String(TTL_MS)])
    const count = readWholeNumber(reply)
    // The count includes this process.
    if (count === undefined || count < 1) throw unexpectedReply(reply)
    this.#count = count
  }
}

function permissionWarning(why: string): HaltWarning {
  return {
    code: 'HALT_W_PERMISSION',
    message: `Redis refuses to count the processes, so each of them takes the whole limit in an outage: ${why}.`,
    fix: 'Grant +zadd +zremrangebyscore +zcard +pexpire, or set the number of processes, such as instances: 4.',
  }
}
