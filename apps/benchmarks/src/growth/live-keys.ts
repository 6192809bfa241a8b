import { type Policy, RateLimiter } from '@halt/core'
import type { Group, Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'

import { baseline } from '../contestants/baseline.ts'
import type { Task } from '../contestants/contestant.ts'
import { NodeRequest } from '../contestants/node-request.ts'
import { freshAddresses } from './addresses.ts'
import type { Opened } from './opened.ts'

/** Never refused. A charge is paid back long after the next round over all keys, so that all of them stay alive. */
function lasting(count: number): Task {
  const limit = 100_000
  return { limit, windowMs: limit * Math.max(1000, Math.ceil(count * 0.03)) }
}

/**
 * Charges a store for `count` addresses as a check of each does, but without the limiter, because ten million whole checks take
 * minutes. Another limiter, with a store of its own, shows how a check asks.
 */
async function fillStore(
  store: InMemoryStore,
  policy: Policy,
  next: () => string,
  count: number,
): Promise<void> {
  const groups: Group[] = []
  const recorder: Store = {
    evaluate(group) {
      groups.push(group)
      return new InMemoryStore().evaluate(group)
    },
    forget: () => 0,
  }
  const sample = next()
  await new RateLimiter<NodeRequest>({ store: recorder, policy }).check(new NodeRequest(sample))
  const [demand, other] = groups.flatMap(({ demands }) => demands)
  if (demand === undefined || other !== undefined || !demand.subject.includes(sample))
    throw new Error(`A check of ${sample} asks for more than one counter of that address.`)
  const [before, after] = demand.subject.split(sample)
  for (let i = 0, address = sample; i < count; i++, address = next()) {
    const subject = `${before}${address}${after}`
    store.evaluate({ demands: [{ ...demand, subject }], penalty: undefined, idempotency: undefined })
  }
}

/** Checks of as many addresses as there are live keys, in turns. */
export function liveKeys(count: number): Opened {
  const next = freshAddresses(count)
  const { limit, windowMs } = lasting(count)
  const policy: Policy = { name: 'api', limit, window: `${windowMs}ms` }
  const store = new InMemoryStore({ maxKeys: Math.max(1_000_000, Math.ceil(count * 1.5)) })
  const limiter = new RateLimiter<NodeRequest>({ store, policy })
  return {
    step: () => limiter.check(new NodeRequest(next())),
    fill: () => fillStore(store, policy, next, count),
    verify() {
      if (store.size !== count) throw new Error(`${store.size} keys are stored, not ${count}`)
    },
  }
}

/** The bare loop with as many keys, which shows the cost of a Map and of the caches of the processor. */
export async function bareKeys(count: number): Promise<Opened> {
  const next = freshAddresses(count)
  const { ask } = await baseline.open(lasting(count))
  return {
    step: () => ask(next()) as boolean,
    fill() {
      for (let i = 0; i < count; i++) void ask(next())
    },
  }
}
