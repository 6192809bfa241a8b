import { storeSuite } from '@halt/conformance'
import type { Evaluation, Store } from '@halt/core/store'
import { afterAll, beforeAll } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { only } from '../../../../tools/parts-of-suite.ts'
import { type ServedCluster, serveCluster } from '../../src/cluster/index.ts'
import { InMemoryStore } from '../../src/index.ts'
import { endAll, fork, type TestWorker } from './workers.ts'

let worker: TestWorker
beforeAll(async () => {
  worker = await fork()
})
afterAll(endAll)

let served: ServedCluster | undefined

/** A store whose calls a real worker makes, of its ClusterStore: so each passes the channel twice. */
async function overWorker(clock: () => number): Promise<Store> {
  served?.close()
  served = serveCluster(new InMemoryStore({ clock }))
  await worker.tell({ do: 'begin' })
  return {
    kind: 'cluster',
    evaluate: group => worker.tell<Evaluation>({ do: 'evaluate', group }),
    forget: counters => worker.tell<number>({ do: 'forget', counters }),
    document: name => ({
      read: async since => (await worker.tell({ do: 'read', name, since })) ?? undefined,
      write: async (text, since) => (await worker.tell({ do: 'write', name, text, since })) ?? undefined,
    }),
  }
}

/** The store in the primary is tested without a channel, so the short form plays only what the channel could change. */
const some = only('groups', 'terms', 'documents', 'random')

storeSuite(some, {
  name: 'ClusterStore in a worker',
  make: overWorker,
  end: () => served?.close(),
  histories: isFull ? 4 : 1,
  steps: 200,
})
