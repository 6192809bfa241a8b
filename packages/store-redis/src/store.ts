import { leases } from '@halt/core/lease'
import { resilience } from '@halt/core/resilience'
import { fromCaller, type HaltWarning, type Warn, warnOnce } from '@halt/core'
import {
  Batcher,
  type CounterId,
  type Evaluation,
  flatGroups,
  type Group,
  type Heartbeat,
  makeDigest,
  pollUntil,
  type Store,
  type StoreDocument,
  type StoreError,
  type StoreMark,
  readClock,
  wholeAnswers,
} from '@halt/core/store'

import { type Connection, openConnection, placeOf, storeError, toStoreError } from './connection/index.ts'
import { keysBySlot, deleteKeys, slotsOf, evaluateAcrossSlots } from './cross-slot.ts'
import { RedisDocument } from './documents.ts'
import { redisHeartbeat } from './heartbeat.ts'
import { inspect } from './inspection.ts'
import { keyWriter, type KeyWriter } from './keys.ts'
import { Marks } from './marks.ts'
import { checkOptions, type RedisStoreOptions } from './options.ts'
import { readReply } from './reply.ts'
import { readWholeNumber, unexpectedReply } from './reply-value.ts'
import { decide, probe } from './scripts.ts'
import { scriptCall } from './script-protocol.ts'
import { BATCH_RULES, ServerSecond } from './server-time.ts'

// A server that hangs sends no replies.
const CLOSE_MS = 500

type Evaluations = readonly (Evaluation | Error)[]

/**
 * A store of counters in Redis or Valkey, which all processes share. A check is one round trip, whatever the number of
 * policies, and the server's clock decides.
 *
 * @throws HaltError `HALT_E_REDIS_CLIENT`, `HALT_E_STORE_OPTION`
 * @example
 * const store = new RedisStore({ client: new Redis(process.env.REDIS_URL) })
 */
export class RedisStore implements Store {
  readonly kind: string = 'redis'
  readonly evaluator: typeof resilience = resilience
  readonly leases: typeof leases = leases
  readonly isChecked: boolean = true
  readonly keepsPace: boolean
  /** The kind, the prefix, and the server if its client tells it. */
  readonly place: readonly unknown[]
  /** Unix milliseconds. Present only if the store was given a clock function. */
  declare readonly clock?: () => number
  readonly #connection: Connection
  readonly #warn: Warn
  readonly #key: KeyWriter
  readonly #probeKey: string
  readonly #marks: Marks
  readonly #heartbeat: Heartbeat
  // Of the processes that obey the control document.
  readonly #obeying: Heartbeat
  readonly #batcher: Batcher
  readonly #second = new ServerSecond()
  readonly #batchersBySlot = new Map<number, Batcher>()
  readonly #reconnected = new Set<() => void>()
  #clock: (() => number) | undefined
  #perSlot: boolean
  #starting = true

  constructor(options: RedisStoreOptions) {
    fromCaller(RedisStore, () => checkOptions(options))
    const {
      client,
      run,
      prefix = 'halt:',
      clock = 'server',
      connection = 'own',
      slots = 'per-subject',
    } = options
    this.#warn = warnOnce(options.warn)
    const reconnected = (): void => {
      for (const listener of this.#reconnected) listener()
    }
    const own = { client, run, connection, warn: this.#warn, reconnected }
    this.#connection = fromCaller(RedisStore, () => openConnection(own))
    this.#key = keyWriter(prefix, slots === 'one', makeDigest())
    this.#probeKey = this.#key(`${prefix}probe`, 'z')
    this.keepsPace = typeof clock !== 'function'
    if (typeof clock === 'function') this.clock = clock
    this.#clock = clock === 'server' ? undefined : clock === 'client' ? Date.now : clock
    this.#perSlot = this.#connection.topology === 'cluster' && slots === 'per-subject'
    this.place = placeOf(prefix, client)
    this.#marks = new Marks({
      evaluate: group => this.evaluate(group),
      key: this.#key,
      isPerSlot: () => this.#perSlot,
      changed: reconnected,
    })
    const beat = (name: string, marks: Marks | undefined, report: Warn): Heartbeat =>
      redisHeartbeat(this.#connection, this.#key(`${prefix}${name}`, 'z'), marks, report)
    this.#heartbeat = beat('instances', this.#marks, this.#warn)
    // Who may not be counted, and has a number for `instances`, has nothing to mend.
    this.#obeying = beat('obeying', undefined, () => {})
    this.#batcher = new Batcher((groups, now) => this.#send(groups, true, now), BATCH_RULES)
  }

  evaluate(group: Group): Promise<Evaluation> {
    if (!this.#perSlot) return this.#batcher.add(group)
    const slots = slotsOf(group, this.#key)
    if (slots.length === 1) return this.#batcherOf(slots[0] as number).add(group)
    return evaluateAcrossSlots(group, this.#key, (slot, part) => this.#batcherOf(slot).add(part))
  }

  async forget(counters: readonly CounterId[]): Promise<number> {
    try {
      if (this.#starting) await this.#connection.opened
      const keys = [...new Set(counters.map(({ subject, counter }) => this.#key(subject, counter)))]
      return await this.#delete(keys)
    } catch (error) {
      throw toStoreError(error)
    }
  }

  mark(subject: string): StoreMark {
    return this.#marks.of(subject)
  }

  document(name: string): StoreDocument {
    const beat = (): void => {
      for (const one of [this.#heartbeat, this.#obeying]) one.sendIfDue(performance.now())
    }
    return new RedisDocument(this.#connection, this.#key('document', name), beat)
  }

  async #delete(keys: readonly string[]): Promise<number> {
    if (this.#perSlot) return deleteKeys(this.#connection, keysBySlot(keys))
    try {
      return await deleteKeys(this.#connection, [keys])
    } catch (error) {
      if (toStoreError(error).reply !== 'CROSSSLOT') throw error
      this.#goPerSlot()
      return deleteKeys(this.#connection, keysBySlot(keys))
    }
  }

  async probe(): Promise<unknown> {
    const ask = async (clock: string): Promise<void> => {
      const reply = await this.#connection.run(probe, [this.#probeKey], [clock])
      if (readWholeNumber(reply) !== 1) throw unexpectedReply(reply)
    }
    const clock = this.#now()
    try {
      return await ask(clock)
    } catch (error) {
      if (this.#mayDowngrade(toStoreError(error), clock)) return ask(this.#now())
      throw error
    }
  }

  instances(): number {
    return this.#heartbeat.count
  }

  /**
   * Counts the processes that use this store under this prefix: the processes that decided, or read what operators have set, during the last
   * 15 s. It does not count those whose limiters got a number for `instances`, and this one only if it decides.
   */
  processes(): Promise<number> {
    return this.#count(this.#heartbeat)
  }

  /** Counts the processes whose limiters obey the control document of this store, by their signs of the last 15 s. */
  obeyingProcesses(): Promise<number> {
    return this.#count(this.#obeying)
  }

  obeys(): void {
    this.#obeying.use()
  }

  async #count(heartbeat: Heartbeat): Promise<number> {
    try {
      await this.#connection.opened
      return await heartbeat.ask()
    } catch (error) {
      throw toStoreError(error)
    }
  }

  onReconnect(listener: () => void): void {
    this.#reconnected.add(listener)
  }

  inspect(): Promise<HaltWarning[]> {
    return inspect(this.#connection, this.#probeKey, () => this.#now(), this.#heartbeat)
  }

  /** Waits for the replies that are on their way, half a second at most, and ends the connection. */
  async close(): Promise<void> {
    await pollUntil(() => {
      return this.#batcher.isIdle && [...this.#batchersBySlot.values()].every(({ isIdle }) => isIdle)
    }, CLOSE_MS)
    await this.#connection.close()
  }

  #batcherOf(slot: number): Batcher {
    let batcher = this.#batchersBySlot.get(slot)
    if (batcher === undefined)
      this.#batchersBySlot.set(
        slot,
        (batcher = new Batcher((groups, now) => this.#send(groups, false, now), BATCH_RULES)),
      )
    return batcher
  }

  /**
   * @param isMixed whether the keys may be in several hash slots
   * @param now performance.now()
   */
  #send(groups: readonly Group[], isMixed: boolean, now: number): Promise<Evaluations> {
    // A check before the end of the first attempt to connect waits for that, within its own deadline.
    if (this.#starting)
      return this.#connection.opened.then(() => {
        this.#starting = false
        return this.#sendNow(groups, isMixed, now)
      })
    return this.#sendNow(groups, isMixed, now)
  }

  #sendNow(groups: readonly Group[], isMixed: boolean, now: number): Promise<Evaluations> {
    this.#heartbeat.sendIfDue(now)
    try {
      const clock = this.#now()
      const second = clock === '' ? this.#second.at(now) : ''
      const flat = flatGroups(groups)
      const { keys, args } = scriptCall(flat, this.#key, second)
      return this.#connection.run(decide, keys, [clock, ...args]).then(
        reply => {
          const evaluations = wholeAnswers(readReply(reply, flat, second), groups)
          const [first] = evaluations
          if (clock === '' && Array.isArray(reply) && first !== undefined && !(first instanceof Error))
            this.#second.observe(first.now, now)
          return evaluations
        },
        (error: unknown) => this.#recover(groups, isMixed, clock, toStoreError(error)),
      )
    } catch (error) {
      return Promise.reject(toStoreError(error))
    }
  }

  #now(): string {
    if (this.#clock === undefined) return ''
    const now = readClock(this.#clock)
    if (now === undefined) throw storeError('The clock of the store returned no number', 'misconfigured')
    return String(now)
  }

  // The server gives both errors before the script writes, so nothing was charged and the call can be sent again in
  // another form. Other calls that were pending get the same error, and come here too.
  #recover(
    groups: readonly Group[],
    isMixed: boolean,
    clock: string,
    error: StoreError,
  ): Promise<Evaluations> {
    if (error.reply === 'CROSSSLOT' && isMixed) {
      this.#goPerSlot()
      return Promise.all(
        groups.map(group => this.evaluate(group).catch((failure: unknown) => failure as Error)),
      )
    }
    return this.#mayDowngrade(error, clock)
      ? this.#send(groups, isMixed, performance.now())
      : Promise.reject(error)
  }

  #goPerSlot(): void {
    this.#perSlot = true
    this.#warn({
      code: 'HALT_W_CROSSSLOT',
      message: 'A plain client is connected to a Redis Cluster. Checks are now sent slot by slot.',
      fix: 'Give the store a cluster client (new Cluster(…), createCluster(…)).',
    })
  }

  #mayDowngrade({ message }: StoreError, clock: string): boolean {
    if (clock !== '' || !/not allowed from script/i.test(message) || !/time/i.test(message)) return false
    this.#clock ??= Date.now
    this.#warn({
      code: 'HALT_W_CLOCK_DOWNGRADE',
      message: 'This server forbids TIME in scripts. The clocks of the processes decide from now on.',
      fix: 'Set clock: "client" and keep the clocks of the processes in step.',
    })
    return true
  }
}
