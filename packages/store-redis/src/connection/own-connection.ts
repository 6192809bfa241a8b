import { afterFreeTime } from '@halt/core/store'

import { runScript, promiseTry } from './script-run.ts'
import type { Connection, Script, Topology } from './connection.ts'
import { type SendInterval, INTERVAL_MS, ReplyWatchdog } from './reply-watchdog.ts'
import { StoreError, toStoreError, unsent } from './store-error.ts'
import { ignore, unrefTimeout, type Timer } from './timer.ts'
import { CONNECT_MS, type Lost, OPEN_MS, type Transport } from './transport.ts'

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 500
// A refused login is not worth a storm of attempts.
const REFUSED_RETRY_MS = 2_000
// Without any answer for as long, a server hangs or has vanished. The nodes of a cluster are asked before they are given up.
const SILENT_MS = 2_000
const ASK_MS = 1_000
// A connection that lasted as long was a good one.
const STEADY_MS = 1_000

/**
 * A link over a connection of its own, which is opened again for ever, at most half a second after it was lost. The wait
 * for that is the link's and not the client's, so that nothing of it keeps the process alive.
 */
export class OwnConnection implements Connection {
  readonly topology: Topology
  readonly opened: Promise<void>
  readonly #transport: Transport
  readonly #reconnected: () => void
  readonly #release: () => void
  readonly #watchdog: ReplyWatchdog
  #state: 'opening' | 'open' | 'waiting' | 'ended' | 'closed' = 'waiting'
  #tried: () => void = ignore
  // Grows when an attempt to open begins, and when none is wanted any more.
  #epoch = 0
  #failures = 0
  #openedAt = 0
  #retry: Timer | undefined
  #absence = new StoreError('The connection to Redis is not open yet', 'unavailable')
  #silence: StoreError | undefined

  /**
   * @param reconnected is called whenever a connection was opened but for the first time
   * @param release is called when the link is closed
   */
  constructor(
    topology: Topology,
    makeTransport: (lost: Lost) => Transport,
    reconnected: () => void,
    release: () => void,
  ) {
    this.topology = topology
    this.#reconnected = reconnected
    this.#release = release
    this.#transport = makeTransport(cause => this.#lost(cause))
    const patience = topology === 'cluster' ? ASK_MS : SILENT_MS
    this.#watchdog = new ReplyWatchdog(patience / INTERVAL_MS, silent => this.#unanswered(silent))
    this.opened = new Promise(resolve => {
      this.#tried = resolve
    })
    void this.#open()
  }

  get ready(): boolean {
    return this.#transport.ready
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (!this.#transport.ready) return Promise.reject(unsent(this.#absence))
    const interval = this.#watchdog.sent()
    return runScript(this.#transport.sender, script, keys, args).then(
      reply => {
        this.#watchdog.settled(interval)
        return reply
      },
      (error: unknown) => this.#failed(interval, error),
    )
  }

  async command(args: readonly string[], key?: string): Promise<unknown> {
    if (!this.#transport.ready) throw unsent(this.#absence)
    const interval = this.#watchdog.sent()
    try {
      const reply = await promiseTry(() => this.#transport.sender.command(args, key))
      this.#watchdog.settled(interval)
      return reply
    } catch (error) {
      return this.#failed(interval, error)
    }
  }

  /** The user's client ended: so does the connection, until that is opened again. */
  end(): void {
    if (this.#state !== 'closed')
      this.#stop('ended', new StoreError('The Redis client was closed', 'unavailable'))
  }

  /** The user's client was opened again. */
  revive(): void {
    if (this.#state !== 'ended') return
    this.#failures = 0
    void this.#open()
  }

  close(): Promise<void> {
    this.#release()
    this.#stop('closed', new StoreError('The store was closed', 'unavailable'))
    return Promise.resolve()
  }

  async #open(): Promise<void> {
    const epoch = ++this.#epoch
    this.#state = 'opening'
    try {
      while (!(await this.#attempt())) if (epoch !== this.#epoch) return
      if (epoch !== this.#epoch) return
      this.#state = 'open'
      this.#silence = undefined
      const isFirst = this.#openedAt === 0
      this.#openedAt = performance.now()
      if (!isFirst) this.#reconnected()
    } catch (error) {
      if (epoch !== this.#epoch) return
      this.#transport.abandon()
      this.#again(error)
    } finally {
      this.#tried()
    }
  }

  /** Opens the wire; false where not the server but this process was too slow, whose clients have timers of their own. */
  async #attempt(): Promise<boolean> {
    const began = performance.now()
    let giveUp = ignore as (error: Error) => void
    const gaveUp = new Promise<never>((_, reject) => (giveUp = reject))
    // A cluster may have to be asked node by node.
    const limit = this.topology === 'cluster' ? 2 * OPEN_MS : OPEN_MS
    const wait = afterFreeTime(limit, () => giveUp(new Error('Connection timeout')), true)
    try {
      await Promise.race([this.#transport.open(), gaveUp])
      return true
    } catch (error) {
      if (performance.now() - began < CONNECT_MS || wait.passed >= CONNECT_MS / 2) throw error
      this.#transport.abandon()
      return false
    } finally {
      wait.cancel()
    }
  }

  #lost(cause: unknown): void {
    if (this.#state === 'open') this.#again(this.#silence ?? cause)
  }

  #unanswered(silent: boolean): void {
    this.#silence = silent ? new StoreError('Redis does not answer', 'timeout') : undefined
    this.#transport.endUnresponsive(silent)
  }

  #again(cause: unknown): void {
    if (this.#state === 'open' && performance.now() - this.#openedAt > STEADY_MS) this.#failures = 0
    const error = toStoreError(cause)
    this.#absence = error
    this.#state = 'waiting'
    const longest = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS)
    const wait = error.failure === 'misconfigured' ? REFUSED_RETRY_MS : longest * (0.5 + Math.random() / 2)
    this.#retry = unrefTimeout(wait, () => void this.#open())
  }

  #stop(state: 'ended' | 'closed', absence: StoreError): void {
    this.#epoch++
    this.#state = state
    this.#absence = absence
    this.#retry?.cancel()
    this.#transport.disconnect()
    this.#tried()
  }

  #failed(interval: SendInterval, cause: unknown): never {
    this.#watchdog.settled(interval)
    const found = toStoreError(cause)
    const error = found.reply === undefined ? (this.#silence ?? found) : found
    // A demoted master: by its name, or through Sentinel, the new one is found.
    if (error.reply === 'READONLY' && this.#state === 'open') {
      this.#transport.leaveDemoted()
      this.#again(error)
    }
    throw error
  }
}
