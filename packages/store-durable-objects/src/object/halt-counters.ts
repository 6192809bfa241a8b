import { decide, type Evaluation, type Group, plainEvaluation } from '@halt/core/store'

import type { Answers, Question, Reply } from '../call/message.ts'
import type { ErrorKind } from '../call/store-error.ts'
import type { ObjectState, ObjectStorage } from '../platform.ts'
import { CountersTable } from './counters-table.ts'
import { DocumentTable } from './document-table.ts'
import { Expiry } from './expiry.ts'

/**
 * The Durable Object that holds counters, and decides beside them. Export it from your Worker, and name it in `new_sqlite_classes`
 * of a migration. Only `DurableObjectStore` calls it.
 *
 * It reads, decides and writes in one synchronous transaction, so no two checks of an object overlap. An alarm removes counters
 * that equal fresh ones; an object without counters deletes its storage.
 *
 * @example
 * export { HaltCounters } from '@halt/store-durable-objects'
 */
export class HaltCounters {
  readonly #state: ObjectState
  readonly #storage: ObjectStorage
  readonly #expiry: Expiry
  #counters: CountersTable | undefined
  #document: DocumentTable | undefined
  #lastNow = 0
  // The difference between the clock that the store was given and the object's own, in milliseconds.
  #offset = 0

  constructor(state: ObjectState) {
    this.#state = state
    this.#storage = state.storage
    this.#expiry = new Expiry(state.storage)
  }

  /** Answers a question of the store. */
  async fetch(request: Request): Promise<Response> {
    let reply: Reply
    try {
      const question = (await request.json()) as Question
      reply = { answer: this.#storage.transactionSync(() => this.#answer(question)) }
    } catch (error) {
      reply = { error: { kind: kindOf(error), message: textOf(error) } }
      // The transaction was rolled back, with tables that it made.
      this.#counters = this.#document = undefined
    }
    await this.#ensureAlarm()
    return Response.json(reply)
  }

  /** Removes the counters that equal fresh ones. The platform calls it. */
  async alarm(): Promise<void> {
    // No question is answered between the sweep and the deletion.
    await this.#state.blockConcurrencyWhile(async () => {
      const now = this.#clock()
      const next = this.#table.sweep(now)
      if (next !== undefined) return this.#expiry.set(next - now)
      this.#expiry.clear()
      this.#counters = undefined
      // Tables of a document are never here, because such an object has no counters and sets no alarm.
      await this.#storage.deleteAll()
    })
  }

  #answer(question: Question): Answers[keyof Answers] {
    switch (question.ask) {
      case 'evaluate':
        return this.#evaluate(question.group, question.now)
      case 'forget':
        return this.#table.forget(question.counters)
      case 'read': {
        const found = this.#documents.read()
        return found.version === question.since ? null : found
      }
      case 'write':
        return this.#documents.write(question.text, question.since) ?? null
      case 'ping':
        // Fails if the class is not backed by SQLite.
        this.#storage.sql.exec('select 1')
        return 'pong'
      default:
        throw new TypeError('The object got a question that it does not know.')
    }
  }

  #evaluate(group: Group, given: number | undefined): Evaluation {
    const own = Math.max(this.#lastNow, Math.floor(Date.now() * 1000))
    this.#lastNow = own
    this.#offset = given === undefined ? 0 : (given - own) / 1000
    return plainEvaluation(decide(group, this.#table, given ?? own))
  }

  async #ensureAlarm(): Promise<void> {
    if (this.#counters === undefined) return
    try {
      await this.#expiry.ensure(this.#counters.expiresAt - this.#clock())
    } catch {
      // The counters only stay longer. The next call tries again.
      this.#expiry.clear()
    }
  }

  #clock(): number {
    return Date.now() + this.#offset
  }

  get #table(): CountersTable {
    return (this.#counters ??= new CountersTable(this.#storage.sql))
  }

  get #documents(): DocumentTable {
    return (this.#document ??= new DocumentTable(this.#storage.sql))
  }
}

function kindOf(error: unknown): ErrorKind {
  if ((error as { failure?: unknown }).failure === 'script') return 'script'
  if (/SQL is not enabled|not backed by SQLite|not configured to use/i.test(textOf(error)))
    return 'misconfigured'
  if (error instanceof SyntaxError || error instanceof TypeError) return 'script'
  return 'unavailable'
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
