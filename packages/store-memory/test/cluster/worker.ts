// A worker of the tests: does what the primary asks of its ClusterStore, and reports.
import cluster from 'node:cluster'

import { RateLimiter } from '@halt/core'
import type { CounterId, Group } from '@halt/core/store'

import { ClusterStore, serveCluster } from '../../src/cluster/index.ts'
import { InMemoryStore } from '../../src/index.ts'

/** What a test asks of a worker. */
export type Order =
  | { readonly do: 'begin' }
  | { readonly do: 'evaluate'; readonly group: Group }
  | { readonly do: 'forget'; readonly counters: readonly CounterId[] }
  | { readonly do: 'read'; readonly name: string; readonly since: string | undefined }
  | { readonly do: 'write'; readonly name: string; readonly text: string; readonly since: string }
  | {
      readonly do: 'consume'
      readonly users: readonly string[]
      readonly limit: number
      readonly storeTimeout: string
    }
  | { readonly do: 'instances' | 'inspect' | 'serve' | 'leave' }
  | { readonly do: 'probe'; readonly times: number }
  | { readonly do: 'ask by several stores'; readonly groups: readonly Group[] }
  | { readonly do: 'make'; readonly env: Readonly<Record<string, string>> }

let store = new ClusterStore()
let limiter: RateLimiter | undefined

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'begin':
      store = new ClusterStore()
      return null
    case 'evaluate':
      return store.evaluate(order.group)
    case 'forget':
      return store.forget(order.counters)
    case 'read':
      return (await store.document(order.name).read(order.since)) ?? null
    case 'write':
      return (await store.document(order.name).write(order.text, order.since)) ?? null
    case 'consume': {
      const { limit, storeTimeout, users } = order
      const policy = {
        name: 'p',
        limit,
        window: 86_400,
        algorithm: 'fixed-window',
        keyStrategy: 'user',
      } as const
      limiter ??= new RateLimiter({ store, policy, storeTimeout: storeTimeout as '1s', warn: () => {} })
      return Promise.all(
        users.map(async user => {
          const { allowed, degraded } = await limiter!.consume({ user })
          return { user, allowed, degraded }
        }),
      )
    }
    case 'instances':
      return store.instances()
    case 'inspect':
      return store.inspect()
    case 'probe': {
      const [first] = Array.from({ length: order.times }, () =>
        store.probe().catch((error: unknown) => error),
      )
      return first
    }
    case 'serve':
      return serveCluster(new InMemoryStore())
    case 'make':
      Object.assign(process.env, order.env)
      return new ClusterStore().kind
    case 'ask by several stores':
      return oneByOne(order.groups)
    case 'leave': {
      const pending = store.probe().catch((error: unknown) => error)
      const left = new Promise(resolve => process.once('disconnect', resolve))
      cluster.worker?.disconnect()
      await left
      const errors = [await pending, await store.probe().catch((error: unknown) => error)]
      console.log(
        JSON.stringify(errors.map(error => ({ ...(error as object), message: (error as Error).message }))),
      )
      return process.exit()
    }
  }
}

async function oneByOne(groups: readonly Group[]): Promise<unknown> {
  const answers: unknown[] = []
  const stores = groups.map(() => new ClusterStore())
  for (const [i, group] of groups.entries()) answers.push(await stores[i]?.evaluate(group))
  return answers
}

function hear(message: unknown): void {
  const { order, number } = message as { order?: Order; number?: number }
  if (order === undefined) return
  obey(order).then(
    told => process.send?.({ number, told }),
    (error: unknown) => {
      const { message: text, ...fields } = error as Error
      process.send?.({ number, failed: { ...fields, message: text } })
    },
  )
}

process.on('message', hear)
process.send?.({ number: 0 })
