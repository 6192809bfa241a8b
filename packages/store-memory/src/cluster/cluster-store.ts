import { leases } from '@halt/core/lease'
import { resilience } from '@halt/core/resilience'
import { fromCaller, HaltError, type HaltWarning } from '@halt/core'
import {
  afterFreeTime,
  Batcher,
  type CounterId,
  type ErrorMeaning,
  type Evaluation,
  type FreeWait,
  type Group,
  type Store,
  type StoreDocument,
  StoreError,
} from '@halt/core/store'

import {
  type Answered,
  type Answers,
  errorOf,
  isOurs,
  MARK,
  type Question,
  shortGroup,
  UNKNOWN_RULE,
  wholeEvaluation,
} from './message.ts'
import { clusterOfNode, processOfNode, type WorkerProcess } from './node.ts'
import { RuleNumbers } from './rule-numbers.ts'

const GONE: ErrorMeaning = [
  'unavailable',
  'UNAVAILABLE',
  'Nothing, if the primary has ended: it ends its workers. Else look at its log.',
]
const SILENT_MS = 1_000
// The most questions that wait for an answer. A primary that serves no store answers none.
const MOST_PENDING = 10_000

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/**
 * The store of a worker of `node:cluster`: its primary decides, in the store that it gave to `serveCluster`. Checks that come together share
 * a message. It listens to the primary only while it waits for an answer, so it need not be closed.
 *
 * @throws HaltError `HALT_E_STORE_OPTION` outside of a worker of `node:cluster`
 * @example
 * const limiter = new RateLimiter({ store: new ClusterStore(), policy })
 */
export class ClusterStore implements Store {
  readonly kind: string = 'cluster'
  readonly evaluator: typeof resilience = resilience
  readonly leases: typeof leases = leases
  readonly keepsPace: boolean = true
  readonly place: readonly unknown[] = ['cluster']
  readonly #process: WorkerProcess
  readonly #pending = new Map<number, Pending>()
  readonly #rules = new RuleNumbers()
  readonly #batcher = new Batcher(groups => this.#send(groups), {
    loadOf: ({ demands }) => Math.max(1, demands.length),
    maxLoad: 500,
    minParallel: 64,
    isWorthCall: pending => pending.count < 2,
  })
  readonly #id = crypto.randomUUID().slice(0, 8)
  #lastId = 0
  #processes = 1

  constructor() {
    this.#process = fromCaller(ClusterStore, workerProcess)
  }

  evaluate(group: Group): Promise<Evaluation> {
    return this.#batcher.add(group)
  }

  forget(counters: readonly CounterId[]): Promise<number> {
    return this.#ask({ ask: 'forget', counters })
  }

  probe(): Promise<unknown> {
    return this.#ask({ ask: 'probe' })
  }

  instances(): number {
    return this.#processes
  }

  document(name: string): StoreDocument {
    return {
      read: async since => (await this.#ask({ ask: 'read', name, since })) ?? undefined,
      write: async (text, since) => (await this.#ask({ ask: 'write', name, text, since })) ?? undefined,
    }
  }

  async inspect(): Promise<readonly HaltWarning[]> {
    let silence: FreeWait | undefined
    const silent = new Promise<undefined>(resolve => {
      silence = afterFreeTime(SILENT_MS, () => resolve(undefined))
    })
    try {
      return (await Promise.race([this.#ask({ ask: 'inspect' }), silent])) ?? [SILENT]
    } catch (error) {
      return [{ ...SILENT, message: `The primary does not answer: ${(error as Error).message}.` }]
    } finally {
      silence?.cancel()
    }
  }

  async #send(groups: readonly Group[]): Promise<readonly (Evaluation | Error)[]> {
    this.#rules.begin()
    const sent = groups.map(group => shortGroup(group, this.#rules.of))
    const answers = await this.#ask({ ask: 'evaluate', groups: sent, ...this.#rules.take() })
    if (answers.some(answer => 'error' in answer && answer.error.reply === UNKNOWN_RULE)) this.#rules.lost()
    return answers.map(answer => ('error' in answer ? errorOf(answer.error) : wholeEvaluation(answer)))
  }

  #ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']]> {
    return new Promise((resolve, reject) => {
      const process = this.#process
      if (!process.connected) return reject(this.#unsent('The primary is gone'))
      const id = ++this.#lastId
      if (this.#pending.size === 0) this.#listen()
      this.#pending.set(id, { resolve: resolve as (answer: unknown) => void, reject })
      if (this.#pending.size > MOST_PENDING) this.#giveUpOldest()
      process.send?.({ halt: MARK, from: this.#id, id, ...question }, error => {
        // Without a channel the message was not sent. After any other error the primary may have got it.
        if (error === null) return
        const isUnsent = String((error as { code?: unknown }).code).startsWith('ERR_IPC')
        const failed = isUnsent ? this.#unsent(error.message) : new StoreError(error.message, GONE)
        this.#settle(id)?.reject(failed)
      })
    })
  }

  #giveUpOldest(): void {
    const [oldest] = this.#pending.keys()
    if (oldest !== undefined)
      this.#settle(oldest)?.reject(new StoreError('The primary does not answer', GONE))
  }

  #unsent(message: string): StoreError {
    this.#rules.lost()
    return Object.assign(new StoreError(message, GONE), { unsent: true })
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) {
      this.#process.off('message', this.#hear)
      this.#process.off('disconnect', this.#left)
    }
    return pending
  }

  #listen(): void {
    this.#process.on('message', this.#hear)
    this.#process.on('disconnect', this.#left)
  }

  readonly #hear = (message: unknown): void => {
    if (!isOurs(message) || message.from !== this.#id) return
    const { id, processes, answer, error } = message as Answered
    this.#processes = Math.max(1, processes)
    const pending = this.#settle(id)
    if (error === undefined) pending?.resolve(answer)
    else pending?.reject(errorOf(error))
  }

  readonly #left = (): void => {
    for (const id of this.#pending.keys())
      this.#settle(id)?.reject(new StoreError('The primary left before it answered', GONE))
  }
}

const SILENT: HaltWarning = {
  code: 'HALT_W_STORE_UNAVAILABLE',
  message: 'The primary does not answer.',
  fix: 'Call serveCluster(store) in the primary, before it forks.',
}

/** This process, if it is a worker of the application's own cluster. @throws HaltError `HALT_E_STORE_OPTION` */
function workerProcess(): WorkerProcess {
  const [cluster, process] = [clusterOfNode(), processOfNode()]
  const { pm_id: ofPm2, exec_mode: mode } = process?.env ?? {}
  // In its cluster mode PM2 is the primary. In its fork mode an application may have a cluster of its own, whose workers inherit pm_id.
  if (ofPm2 !== undefined && !(cluster?.isWorker === true && mode === 'fork_mode'))
    throw new HaltError(
      'HALT_E_STORE_OPTION',
      'ClusterStore was made under PM2, whose primary is a program of its own.',
      'Use SqliteStore of @halt/store-sqlite, which processes of one machine share by a file, or another shared store.',
    )
  if (cluster?.isWorker === true && process?.send !== undefined) return process
  throw new HaltError(
    'HALT_E_STORE_OPTION',
    'ClusterStore was made outside of a worker of node:cluster.',
    'Make it in the workers, and call serveCluster(store) in the primary.',
  )
}
