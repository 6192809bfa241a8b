import { type HaltWarning, type Warn, warnOnce } from '@halt/core'
import { type Cell, type Group, makeDigest, type Store, type Verdict } from '@halt/core/store'

import { Batch } from './batch.ts'
import { type Link, openLink, type StoreError, toStoreError } from './connection/index.ts'
import { Heartbeat } from './heartbeat.ts'
import { inspect } from './inspection.ts'
import { keyWriter, type KeyWriter } from './keys.ts'
import { checkOptions, type RedisStoreOptions } from './options.ts'
import { decide, probe } from './scripts.ts'
import { slotsOf, decideAcross } from './slots.ts'
import { Call, readReply } from './wire.ts'

/**
 * Counters in Redis or Valkey, shared by all processes: one round trip a check, whatever the number of policies, on
 * the server's clock.
 *
 * @throws HaltError `HALT_E_REDIS_CLIENT`, `HALT_E_STORE_OPTION`
 * @example
 * const store = new RedisStore({ client: new Redis(process.env.REDIS_URL) })
 */
export class RedisStore implements Store {
  readonly kind: string = 'redis'
  readonly keepsPace: boolean
  /** Unix milliseconds; only where the store was given a clock. */
  declare readonly clock?: () => number
  readonly #link: Link
  readonly #warn: Warn
  readonly #key: KeyWriter
  readonly #probeKey: string
  readonly #heartbeat: Heartbeat
  readonly #one: Batch
  readonly #bySlot = new Map<number, Batch>()
  readonly #reconnected = new Set<() => void>()
  #clock: (() => number) | undefined
  #perSlot: boolean
  #starting = true

  constructor(options: RedisStoreOptions) {
    checkOptions(options)
    const {
      client,
      run,
      prefix = 'halt:',
      clock = 'server',
      connection = 'own',
      slots = 'per-subject',
    } = options
    this.#warn = warnOnce(options.warn)
    this.#link = openLink({
      client,
      run,
      connection,
      warn: this.#warn,
      reconnected: () => {
        for (const listener of this.#reconnected) listener()
      },
    })
    this.#key = keyWriter(prefix, slots === 'one', makeDigest())
    this.#probeKey = this.#key(`${prefix}probe`, 'z')
    this.keepsPace = typeof clock !== 'function'
    if (typeof clock === 'function') this.clock = clock
    this.#clock = clock === 'server' ? undefined : clock === 'client' ? Date.now : clock
    this.#perSlot = this.#link.topology === 'cluster' && slots === 'per-subject'
    this.#heartbeat = new Heartbeat(this.#link, this.#key(`${prefix}instances`, 'z'), this.#warn)
    this.#one = new Batch(groups => this.#send(groups))
  }

  evaluate(group: Group): Promise<Verdict> {
    this.#heartbeat.beat()
    if (!this.#perSlot) return this.#one.add(group)
    const slots = slotsOf(group, this.#key)
    if (slots.length === 1) return this.#batch(slots[0] as number).add(group)
    return decideAcross(group, this.#key, (slot, part) => this.#batch(slot).add(part))
  }

  async forget(cells: readonly Cell[]): Promise<number> {
    try {
      if (this.#starting) await this.#link.opened
      const keys = [...new Set(cells.map(({ subject, cell }) => this.#key(subject, cell)))]
      const counts = await Promise.all(keys.map(key => this.#link.command(['DEL', key], key)))
      const sum = counts.reduce<number>((all, count) => all + Number(count), 0)
      if (!Number.isSafeInteger(sum)) throw new Error('DEL did not answer with a count')
      return sum
    } catch (error) {
      throw toStoreError(error)
    }
  }

  async probe(): Promise<unknown> {
    const ask = (): Promise<unknown> => this.#link.run(probe, [this.#probeKey], [this.#now()])
    try {
      return await ask()
    } catch (error) {
      if (this.#mayDowngrade(toStoreError(error))) return ask()
      throw error
    }
  }

  instances(): number {
    return this.#heartbeat.count
  }

  onReconnect(listener: () => void): void {
    this.#reconnected.add(listener)
  }

  inspect(): Promise<HaltWarning[]> {
    return inspect(this.#link, this.#probeKey, this.#now(), this.#heartbeat)
  }

  async close(): Promise<void> {
    await this.#link.close()
  }

  #batch(slot: number): Batch {
    let batch = this.#bySlot.get(slot)
    if (batch === undefined) this.#bySlot.set(slot, (batch = new Batch(groups => this.#send(groups))))
    return batch
  }

  async #send(groups: readonly Group[]): Promise<readonly (Verdict | Error)[]> {
    const call = new Call(this.#key)
    for (const group of groups) call.add(group)
    try {
      // Only at the start: who asks before the first attempt to connect has ended waits for it, within its own deadline.
      if (this.#starting) await this.#link.opened
      this.#starting = false
      const reply = (await this.#link.run(decide, call.keys, call.args(this.#now()))) as readonly unknown[]
      const now = Number(reply[0])
      return groups.map((group, i) => {
        const verdict = readReply(reply[i + 1], group, now)
        return verdict instanceof Error ? toStoreError(verdict) : verdict
      })
    } catch (error) {
      return this.#recover(groups, toStoreError(error))
    }
  }

  #now(): string {
    return this.#clock === undefined ? '' : String(Math.floor(this.#clock() * 1000))
  }

  // Both refusals come before the script ran: nothing was charged, and the call may be sent again in another form.
  #recover(groups: readonly Group[], error: StoreError): Promise<readonly (Verdict | Error)[]> {
    if (error.reply === 'CROSSSLOT' && !this.#perSlot) {
      this.#perSlot = true
      this.#warn({
        code: 'HALT_W_CROSSSLOT',
        message: 'A plain client is connected to a Redis Cluster; checks are now sent slot by slot.',
        fix: 'Give the store a cluster client (new Cluster(…), createCluster(…)).',
      })
      return Promise.all(
        groups.map(group => this.evaluate(group).catch((failure: unknown) => failure as Error)),
      )
    }
    return this.#mayDowngrade(error) ? this.#send(groups) : Promise.reject(error)
  }

  #mayDowngrade({ message }: StoreError): boolean {
    if (this.#clock !== undefined || !/not allowed from script/i.test(message) || !/time/i.test(message))
      return false
    this.#clock = Date.now
    this.#warn({
      code: 'HALT_W_CLOCK_DOWNGRADE',
      message: 'This server forbids TIME in scripts; the clocks of the processes decide from now on.',
      fix: 'Give clock: "client" to say so yourself, and keep the processes\' clocks in step.',
    })
    return true
  }
}
