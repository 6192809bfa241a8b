import { afterQuietly } from '../base/event-loop.ts'
import type { Group } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { keysOf } from './key-value.ts'
import { type Asker, deliver, isWorker, type SendGroups } from './remote/batcher.ts'

interface Entry extends Asker {
  readonly keys: readonly string[]
}

interface Call {
  readonly entries: Entry[]
  readonly keys: Set<string>
}

// A call that holds others up for so long is taken for hung, in milliseconds.
const HUNG_MS = 1_000

/**
 * Lets no two calls of this process be on their way with a key in common. Groups without a common key do not wait for each other. Those
 * that come while one of their keys is in use wait for its call, and share the next one.
 *
 * A Worker has no lanes, because a call ends with the request that made it, and cannot answer another.
 */
export class Lanes {
  readonly #send: SendGroups
  readonly #mostKeys: number
  readonly #isOff: boolean
  /** The calls that are on their way, by their keys. */
  readonly #inUse = new Map<string, Call>()
  #waiting: Entry[] = []
  /** The keys of the groups that wait. */
  #wanted = new Set<string>()
  #isWatching = false

  /**
   * @param mostKeys the most keys of one call. A group with more is sent alone
   * @param isOff sends each group at once. Default: in a Worker
   */
  constructor(send: SendGroups, mostKeys: number, isOff: boolean = isWorker()) {
    this.#send = send
    this.#mostKeys = mostKeys
    this.#isOff = isOff
  }

  /** Decides a group as soon as no other call of this process has one of its keys. */
  add(group: Group): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      const keys = this.#isOff ? [] : keysOf(group)
      const entry: Entry = { group, keys, resolve, reject }
      if (!keys.some(key => this.#inUse.has(key) || this.#wanted.has(key)))
        return this.#start({ entries: [entry], keys: new Set(keys) })
      this.#waiting.push(entry)
      for (const key of keys) this.#wanted.add(key)
      this.#watch()
    })
  }

  #start(call: Call): void {
    const { entries, keys } = call
    for (const key of keys) this.#inUse.set(key, call)
    const settled = (settle: (entry: Entry, i: number) => void): void => {
      this.#letGo(call)
      entries.forEach(settle)
      if (this.#waiting.length > 0) this.#startNext()
    }
    this.#send(
      entries.map(({ group }) => group),
      performance.now(),
    ).then(
      evaluations => settled((entry, i) => deliver(entry, evaluations[i])),
      (error: unknown) => settled(({ reject }) => reject(error)),
    )
  }

  /** Starts all waiting groups whose keys are free. Those that have a key in common share a call. */
  #startNext(): void {
    const calls = new Map<string, Call>()
    // A group that stays keeps its turn: none that came after it may take one of its keys.
    const kept = new Set<string>()
    this.#waiting = this.#waiting.filter(entry => {
      const { keys } = entry
      const isFree = !keys.some(key => this.#inUse.has(key) || kept.has(key))
      const joined = isFree ? this.#join(entry, calls) : undefined
      if (joined === undefined) for (const key of keys) kept.add(key)
      else for (const key of joined.keys) calls.set(key, joined)
      return joined === undefined
    })
    this.#wanted = kept
    for (const call of new Set(calls.values())) this.#start(call)
  }

  /** Lets the calls go that hang. The versions in the database keep those that follow apart from them. */
  #watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    const calls = new Set(this.#inUse.values())
    afterQuietly(HUNG_MS, () => {
      this.#isWatching = false
      for (const call of calls) this.#letGo(call)
      this.#startNext()
      if (this.#waiting.length > 0) this.#watch()
    })
  }

  #letGo(call: Call): void {
    for (const key of call.keys) if (this.#inUse.get(key) === call) this.#inUse.delete(key)
  }

  /** Puts a group into one call with those that have a key in common with it. Undefined if that call would have too many keys. */
  #join(entry: Entry, calls: ReadonlyMap<string, Call>): Call | undefined {
    const near = new Set(entry.keys.flatMap(key => calls.get(key) ?? []))
    const keys = new Set([...entry.keys, ...[...near].flatMap(call => [...call.keys])])
    if (near.size > 0 && keys.size > this.#mostKeys) return undefined
    return { entries: [...[...near].flatMap(call => call.entries), entry], keys }
  }
}
