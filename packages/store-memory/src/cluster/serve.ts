import { fromCaller, HaltError, type HaltWarning } from '@halt/core'
import type { Store, StoreDocument } from '@halt/core/store'

import {
  type Answered,
  type Answers,
  type AnyRule,
  type Asked,
  isOurs,
  MARK,
  type Question,
  sentError,
  shortEvaluation,
  UNKNOWN_RULE,
  wholeGroup,
} from './message.ts'
import { type ClusterModule, clusterOfNode, type ClusterWorker } from './node.ts'

/** A store that answers the workers of a cluster. */
export interface ServedCluster {
  /** Answers no worker any more. The store stays open. */
  close(): void
}

/** The rules that a store of a worker has sent, by their numbers. */
type Rules = Map<number, AnyRule>

// So many stores of one worker are remembered.
const MOST_STORES = 100
// An ES module and a CommonJS copy of this file may be in one process.
const SERVED = Symbol.for('@halt/cluster served')

/**
 * Lets the workers of `node:cluster` count in one store, which lives in the primary. Call it in the primary, before it forks; each worker
 * then makes a `ClusterStore`.
 *
 * @throws HaltError `HALT_E_STORE_OPTION` in a worker, outside of Node, without a store, and at a second call
 * @example
 * if (cluster.isPrimary) {
 *   serveCluster(new InMemoryStore())
 *   for (let i = 0; i < 4; i++) cluster.fork()
 * }
 */
export function serveCluster(store: Store): ServedCluster {
  const cluster = fromCaller(serveCluster, () => checkedCluster(store))
  const known = new WeakMap<ClusterWorker, Map<string, Rules>>()
  const hear = (worker: ClusterWorker, message: unknown): void => {
    if (!isOurs(message)) return
    const asked = message as Asked
    let stores = known.get(worker)
    if (stores === undefined) known.set(worker, (stores = new Map()))
    const rules = rulesOf(stores, asked.from)
    void answerTo(asked, store, rules).then(reply => {
      if (!worker.isConnected()) return
      const processes = Object.keys(cluster.workers ?? {}).length * Math.max(1, store.instances?.() ?? 1)
      const sent: Answered = { halt: MARK, from: asked.from, id: asked.id, processes, ...reply }
      // The worker may have ended meanwhile, and then nobody needs the answer.
      worker.send(sent, () => {})
    })
  }
  cluster.on('message', hear)
  const served = cluster as ClusterModule & { [SERVED]?: true }
  served[SERVED] = true
  return {
    close() {
      cluster.off('message', hear)
      delete served[SERVED]
    },
  }
}

function checkedCluster(store: Store): ClusterModule {
  const cluster = clusterOfNode()
  if (cluster === undefined) throw mistake('serveCluster() needs node:cluster.', 'Call it in Node.')
  if (!cluster.isPrimary)
    throw mistake(
      'serveCluster() was called in a worker.',
      'Call it in the primary, and new ClusterStore() here.',
    )
  if (typeof (store as Partial<Store> | undefined)?.evaluate !== 'function')
    throw mistake('serveCluster() got no store.', 'Give one: serveCluster(new InMemoryStore()).')
  if (SERVED in cluster)
    throw mistake('serveCluster() was called a second time.', 'Call it once, or close() the first.')
  return cluster
}

function mistake(message: string, fix: string): HaltError {
  return new HaltError('HALT_E_STORE_OPTION', message, fix)
}

async function answerTo(
  asked: Asked,
  store: Store,
  rules: Rules,
): Promise<Pick<Answered, 'answer' | 'error'>> {
  try {
    return { answer: await answerOf(asked, store, rules) }
  } catch (error) {
    return { error: sentError(error) }
  }
}

async function answerOf(question: Question, store: Store, rules: Rules): Promise<Answers[keyof Answers]> {
  switch (question.ask) {
    case 'evaluate':
      return evaluate(question, store, rules)
    case 'forget':
      return store.forget(question.counters)
    case 'read':
      return (await documentOf(store, question.name).read(question.since)) ?? null
    case 'write':
      return (await documentOf(store, question.name).write(question.text, question.since)) ?? null
    case 'probe':
      await store.probe?.()
      return null
    case 'inspect':
      return ((await store.inspect?.()) ?? []) as readonly HaltWarning[]
    default:
      throw new TypeError(
        'The primary got a question that it does not know. Start it anew with the version of its workers.',
      )
  }
}

function evaluate(
  { groups, rules: fresh = [], isAnew = false }: Extract<Question, { ask: 'evaluate' }>,
  store: Store,
  rules: Rules,
): Promise<Answers['evaluate']> {
  if (isAnew) rules.clear()
  for (const [number, rule] of fresh) rules.set(number, rule)
  return Promise.all(
    groups.map(async group => {
      try {
        return shortEvaluation(await store.evaluate(wholeGroup(group, number => ruleOf(rules, number))))
      } catch (error) {
        return { error: sentError(error) }
      }
    }),
  )
}

function ruleOf(rules: Rules, number: number): AnyRule {
  const rule = rules.get(number)
  if (rule !== undefined) return rule
  throw Object.assign(new Error('The primary does not know a rule of this worker'), { reply: UNKNOWN_RULE })
}

/** The rules of a store. A worker that makes stores without end does not fill the primary: it sends its rules again. */
function rulesOf(stores: Map<string, Rules>, from: string): Rules {
  const found = stores.get(from)
  if (found !== undefined) return found
  const [oldest] = stores.size < MOST_STORES ? [] : stores.keys()
  if (oldest !== undefined) stores.delete(oldest)
  const made: Rules = new Map()
  stores.set(from, made)
  return made
}

function documentOf(store: Store, name: string): StoreDocument {
  const document = store.document?.(name)
  if (document !== undefined) return document
  throw Object.assign(new Error('The store of the primary has no documents'), { unsent: true })
}
