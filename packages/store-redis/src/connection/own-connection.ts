import { afterFreeTime, type StoreError } from '@halt/core/store'
import type { Connection, Script, Topology } from './connection.ts'
import { runScript, promiseTry } from './script-run.ts'
import { storeError, toStoreError, unsent } from './store-error.ts'
import { ignore, unrefTimeout, type Timer } from './timer.ts'
import { CONNECT_MS, type LostListener, OPEN_MS, type Transport } from './transport.ts'

/** The time between two tests for missing replies, milliseconds. */
const INTERVAL_MS = 250
const MAX_INTERVALS = 40

/** Counts the calls that were sent in one interval. */
export interface SendInterval {
  /** How many of them have no reply yet. */
  open: number
  /** How many calls in all had a reply when the interval began. */
  readonly answered: number
}

/**
 * Notices calls without a reply. The client libraries would wait for ever for a server that hangs or has vanished. It costs
 * two additions per call, and its timer runs only while calls are pending.
 */
export class ReplyWatchdog {
  readonly #maxIntervals: number
  readonly #unanswered: (silent: boolean) => void
  #answered = 0
  #intervals: SendInterval[] = []
  #ticking = false
  #current: SendInterval = { open: 0, answered: 0 }

  /**
   * @param maxIntervals after so many intervals without a reply a call counts as unanswered
   * @param unanswered is then called at each interval. `silent`: no call at all had a reply for as long
   */
  constructor(maxIntervals: number, unanswered: (silent: boolean) => void) {
    this.#maxIntervals = maxIntervals
    this.#unanswered = unanswered
  }

  /** Adds a call that is sent now. Returns the interval to pass to {@link settled}. */
  sent(): SendInterval {
    const interval = this.#current
    interval.open++
    if (!this.#ticking) this.#start()
    return interval
  }

  /** Removes a call that was answered or has failed. */
  settled(interval: SendInterval): void {
    interval.open--
    this.#answered++
  }

  #start(): void {
    this.#ticking = true
    this.#intervals = [this.#current]
    this.#next()
  }

  // Measured in free time, so that replies which arrived while the process was busy are read first.
  #next(): void {
    afterFreeTime(INTERVAL_MS, () => this.#tick(), true)
  }

  #tick(): void {
    const intervals = this.#intervals
    this.#current = { open: 0, answered: this.#answered }
    intervals.push(this.#current)
    while (intervals.length > 1 && intervals[0]?.open === 0) intervals.shift()
    // A call that stays open after its connection was ended is a fault of the client library, so it is forgotten.
    if (intervals.length > MAX_INTERVALS) intervals.shift()
    this.#ticking = intervals.length > 1
    if (!this.#ticking) return
    this.#next()
    const then = intervals[intervals.length - 1 - this.#maxIntervals]
    if (then !== undefined) this.#unanswered(then.answered === this.#answered)
  }
}

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 500
// Attempts after a refused login are less frequent, because a wrong password does not mend itself.
const REFUSED_RETRY_MS = 2_000
// A server that sends no reply for this long hangs or has vanished. Nodes of a cluster are pinged before they are given up.
const SILENT_MS = 2_000
const ASK_MS = 1_000
// After a connection of at least this length the delays between attempts start small again.
const STEADY_MS = 1_000

/**
 * A connection that the store opens and ends itself. A lost one is opened again within half a second, and attempts never
 * stop. The delay is a timer of this class and not of the client library, so it does not keep the process alive.
 */
export class OwnConnection implements Connection {
  readonly topology: Topology
  readonly opened: Promise<void>
  readonly #transport: Transport
  readonly #reconnected: () => void
  readonly #release: () => void
  readonly #watchdog: ReplyWatchdog
  #state: 'opening' | 'open' | 'waiting' | 'ended' | 'closed' = 'waiting'
  #endFirstAttempt: () => void = ignore
  // Grows when an attempt to open begins, and when the connection is ended, so that an old attempt has no effect.
  #attemptId = 0
  #failures = 0
  #openedAt = 0
  #retry: Timer | undefined
  #whyClosed = storeError('The connection to Redis is not open yet', 'unavailable')
  #silence: StoreError | undefined

  /**
   * @param reconnected is called each time the connection was opened again
   * @param release is called when the connection is closed
   */
  constructor(
    topology: Topology,
    makeTransport: (lost: LostListener) => Transport,
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
      this.#endFirstAttempt = resolve
    })
    void this.#open()
  }

  get ready(): boolean {
    return this.#transport.ready
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (!this.#transport.ready) return Promise.reject(unsent(this.#whyClosed))
    const interval = this.#watchdog.sent()
    return runScript(
      this.#transport.sender,
      script,
      keys,
      args,
      reply => {
        this.#watchdog.settled(interval)
        return reply
      },
      (error: unknown) => this.#failed(interval, error),
    )
  }

  async command(args: readonly string[], key?: string): Promise<unknown> {
    if (!this.#transport.ready) throw unsent(this.#whyClosed)
    const interval = this.#watchdog.sent()
    try {
      const reply = await promiseTry(() => this.#transport.sender.command(args, key))
      this.#watchdog.settled(interval)
      return reply
    } catch (error) {
      return this.#failed(interval, error)
    }
  }

  /** Ends the connection because the user ended the client. {@link revive} opens it again. */
  end(): void {
    if (this.#state !== 'closed')
      this.#stop('ended', storeError('The Redis client was closed', 'unavailable'))
  }

  /** Opens the connection again because the user opened the client again. */
  revive(): void {
    if (this.#state !== 'ended') return
    this.#failures = 0
    void this.#open()
  }

  close(): Promise<void> {
    this.#release()
    this.#stop('closed', storeError('The store was closed', 'unavailable'))
    return Promise.resolve()
  }

  async #open(): Promise<void> {
    const id = ++this.#attemptId
    this.#state = 'opening'
    try {
      while (!(await this.#attempt())) if (id !== this.#attemptId) return
      if (id !== this.#attemptId) return
      this.#state = 'open'
      this.#silence = undefined
      const isFirst = this.#openedAt === 0
      this.#openedAt = performance.now()
      if (!isFirst) this.#reconnected()
    } catch (error) {
      if (id !== this.#attemptId) return
      this.#transport.abandon()
      this.#retryAfter(error)
    } finally {
      this.#endFirstAttempt()
    }
  }

  /** Opens the transport. False if it failed because this process was busy: the timers of the client libraries ran out. */
  async #attempt(): Promise<boolean> {
    const began = performance.now()
    let giveUp = ignore as (error: Error) => void
    const gaveUp = new Promise<never>((_, reject) => (giveUp = reject))
    // A cluster may need several nodes to be asked in turn.
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
    if (this.#state === 'open') this.#retryAfter(this.#silence ?? cause)
  }

  #unanswered(silent: boolean): void {
    this.#silence = silent ? storeError('Redis does not answer', 'timeout') : undefined
    this.#transport.endUnresponsive(silent)
  }

  #retryAfter(cause: unknown): void {
    if (this.#state === 'open' && performance.now() - this.#openedAt > STEADY_MS) this.#failures = 0
    const error = toStoreError(cause)
    this.#whyClosed = error
    this.#state = 'waiting'
    const delay = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS)
    const wait = error.failure === 'misconfigured' ? REFUSED_RETRY_MS : delay * (0.5 + Math.random() / 2)
    this.#retry = unrefTimeout(wait, () => void this.#open())
  }

  #stop(state: 'ended' | 'closed', why: StoreError): void {
    this.#attemptId++
    this.#state = state
    this.#whyClosed = why
    this.#retry?.cancel()
    this.#transport.disconnect()
    this.#endFirstAttempt()
  }

  #failed(interval: SendInterval, cause: unknown): never {
    this.#watchdog.settled(interval)
    const found = toStoreError(cause)
    const error = found.reply === undefined ? (this.#silence ?? found) : found
    // The master was demoted. Connecting again, by name or through Sentinel, finds the new one.
    if (error.reply === 'READONLY' && this.#state === 'open') {
      this.#transport.leaveDemoted()
      this.#retryAfter(error)
    }
    throw error
  }
}
