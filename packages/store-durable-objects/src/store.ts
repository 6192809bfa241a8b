import { leases } from '@halt/core/lease'
import { resilience } from '@halt/core/resilience'
import { fromCaller, HaltError, type HaltWarning } from '@halt/core'
import {
  checkEvaluation,
  type CounterId,
  evaluateAcross,
  type Evaluation,
  type Group,
  isDocumentName,
  isStrayPromise,
  nodesOf,
  readClock,
  type Store,
  type StoreDocument,
  StoreMisread,
} from '@halt/core/store'

import { ask } from './call/ask.ts'
import { readCount, readText, readVersion } from './call/answers.ts'
import type { Answers, Question } from './call/message.ts'
import { partlyInDoubt } from './call/store-error.ts'
import { warningOf } from './inspection.ts'
import { checkOptions, type DurableObjectStoreOptions } from './options.ts'
import { nameOfDocument, nameOfProbe, type NameOf, placement } from './placement.ts'

/**
 * A store of counters in Durable Objects, which all Workers share. A check of one subject is one call to one object, and that
 * object's clock decides. A check of several subjects is one call per object ({@link evaluateAcross}).
 *
 * It has no deadline and retries nothing: `storeTimeout` and `onStoreError` of the limiter do.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 * @example
 * import { env, waitUntil } from 'cloudflare:workers'
 * const store = new DurableObjectStore({ namespace: env.HALT, waitUntil })
 */
export class DurableObjectStore implements Store {
  readonly kind: string = 'durable-objects'
  readonly evaluator: typeof resilience = resilience
  readonly leases: typeof leases = leases
  readonly isChecked: boolean = true
  readonly keepsPace: boolean
  readonly place: readonly unknown[]
  /** Unix milliseconds. Present only if the store was given a clock function. */
  declare readonly clock?: () => number
  readonly #options: DurableObjectStoreOptions
  readonly #prefix: string
  readonly #nameOf: NameOf

  constructor(options: DurableObjectStoreOptions) {
    fromCaller(DurableObjectStore, () => checkOptions(options))
    const { prefix = 'halt:', objects, clock } = options
    this.#options = options
    this.#prefix = prefix
    this.place = ['durable-objects', prefix]
    this.#nameOf = placement(prefix, objects)
    this.keepsPace = clock === undefined
    if (clock !== undefined) this.clock = clock
  }

  async evaluate(group: Group): Promise<Evaluation> {
    const names = nodesOf(group, this.#nameOf)
    if (names.length <= 1) return this.#evaluateIn(names[0] ?? nameOfProbe(this.#prefix), group)
    return evaluateAcross(group, this.#nameOf, (name, part) => this.#evaluateIn(name, part), partlyInDoubt)
  }

  async forget(counters: readonly CounterId[]): Promise<number> {
    const byName = new Map<string, CounterId[]>()
    for (const counter of counters) {
      const name = this.#nameOf(counter.subject)
      const own = byName.get(name)
      if (own === undefined) byName.set(name, [counter])
      else own.push(counter)
    }
    const counts = await Promise.all(
      [...byName].map(async ([name, own]) =>
        readCount(await this.#ask(name, { ask: 'forget', counters: own })),
      ),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  document(name: string): StoreDocument {
    if (!isDocumentName(name))
      throw new HaltError(
        'HALT_E_STORE_OPTION',
        `${JSON.stringify(name)} is not the name of a document.`,
        'Give 1 to 32 lower-case letters, digits and hyphens, the first a letter.',
      )
    const object = nameOfDocument(this.#prefix, name)
    return {
      read: async since => readText(await this.#ask(object, { ask: 'read', since })),
      write: async (text, since) => readVersion(await this.#ask(object, { ask: 'write', text, since })),
    }
  }

  async probe(): Promise<void> {
    const answer: unknown = await this.#ask(nameOfProbe(this.#prefix), { ask: 'ping' })
    if (answer !== 'pong') throw new StoreMisread('the object answered a ping with another text')
  }

  async inspect(): Promise<HaltWarning[]> {
    try {
      await this.probe()
      return []
    } catch (error) {
      return [warningOf(error)]
    }
  }

  async #evaluateIn(name: string, group: Group): Promise<Evaluation> {
    return checkEvaluation(await this.#ask(name, { ask: 'evaluate', group, now: this.#now() }), group)
  }

  #now(): number | undefined {
    if (this.clock === undefined) return undefined
    const now = readClock(this.clock)
    if (now !== undefined) return now
    throw new StoreMisread('the clock returned no instant', 'Return Unix milliseconds.')
  }

  #ask<Q extends Question>(name: string, question: Q): Promise<Answers[Q['ask']]> {
    const { namespace, locationHint, waitUntil } = this.#options
    const options = locationHint === undefined ? undefined : { locationHint }
    const answer = ask(() => namespace.get(namespace.idFromName(name) as never, options), question)
    // A call outside of a request, as in ready() at the start, has nothing to prolong.
    try {
      isStrayPromise(waitUntil?.(answer.catch(() => {})))
    } catch {}
    return answer
  }
}
