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
  /** The keys of the calls that are on their way. */
  readonly #inUse = new Set<string>()
  /** How many waiting groups have each key. */
  readonly #wanted = new Map<string, number>()
  #waiting: Entry[] = []

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
      for (const key of keys) this.#wanted.set(key, (this.#wanted.get(key) ?? 0) + 1)
    })
  }

  #start(call: Call): void {
    const { entries, keys } = call
    for (const key of keys) this.#inUse.add(key)
    const settled = (settle: (entry: Entry, i: number) => void): void => {
      for (const key of keys) this.#inUse.delete(key)
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
    const started = new Set(calls.values())
    for (const { entries } of started) for (const { keys } of entries) this.#unwant(keys)
    for (const call of started) this.#start(call)
  }

  /** Puts a group into one call with those that have a key in common with it. Undefined if that call would have too many keys. */
  #join(entry: Entry, calls: ReadonlyMap<string, Call>): Call | undefined {
    const near = new Set(entry.keys.flatMap(key => calls.get(key) ?? []))
    const keys = new Set([...entry.keys, ...[...near].flatMap(call => [...call.keys])])
    if (near.size > 0 && keys.size > this.#mostKeys) return undefined
    return { entries: [...[...near].flatMap(call => call.entries), entry], keys }
  }

  #unwant(keys: readonly string[]): void {
    for (const key of keys) {
      const left = (this.#wanted.get(key) ?? 1) - 1
      if (left > 0) this.#wanted.set(key, left)
      else this.#wanted.delete(key)
    }
  }
}
