import { setImmediate as turn } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

import type { Scene } from '../fault.ts'
import type { Form } from '../form.ts'
import { POLICY } from '../load.ts'
import { heldMemory } from '../memory.ts'
import { BOUNDS, Judgement, type Row } from '../row.ts'

/** The requests that a process answers in one turn of its event loop. */
const A_TURN = 500

/** A million new keys (fewer in the short form) in memory. The attacker stays refused. */
export const memoryFlood: Scene = {
  name: 'a million random keys, in memory',
  on: [],
  alone: true,
  run: (_place, form) => flood(memoryFlood.name, form, new InMemoryStore({ maxKeys: 100_000 }), () => {}, 32),
}

/** The same while Redis is away and this process decides. */
export const localFlood: Scene = {
  name: 'a million random keys, Redis away',
  on: [],
  alone: true,
  async run(_place, form) {
    const client = new Redis({ port: 1, lazyConnect: true })
    client.on('error', () => {})
    const store = new RedisStore({ client, warn: () => {} })
    return flood(localFlood.name, form, store, () => client.disconnect(), 64)
  },
}

async function flood(
  name: string,
  { name: form, floodKeys: keys }: Form,
  store: InMemoryStore | RedisStore,
  end: () => void,
  most: number,
): Promise<Row> {
  const limiter = new RateLimiter({ store, policy: POLICY, warn: () => {} })
  for (let i = 0; i <= POLICY.limit; i++) await limiter.consume('attacker')
  const before = heldMemory()
  const turns: number[] = []
  let machine = 0
  let over = 0
  for (let i = 0; i < keys; i += A_TURN) {
    const [started, cpu] = [performance.now(), process.cpuUsage()]
    const calls: Promise<unknown>[] = []
    for (let k = 0; k < A_TURN; k++) calls.push(limiter.consume(`${i + k}-${Math.random()}`))
    await Promise.all(calls)
    await turn()
    const { user, system } = process.cpuUsage(cpu)
    const [passed, used] = [performance.now() - started, (user + system) / 1000]
    // Leaves out the time in which other processes had the processor.
    turns.push(Math.min(passed, used))
    machine = Math.max(machine, passed - used)
    if ((await limiter.consume('attacker')).allowed) over++
  }
  const heap = heldMemory() - before
  await limiter.close()
  end()
  const judgement = new Judgement()
  judgement.exactly('over-admitted, known', over, 0)
  const longest = Math.max(...turns)
  // Beside other tests the same turn takes several times its processor time.
  judgement.atMost('longest turn', longest, form === 'short' ? 4 * BOUNDS.turn : BOUNDS.turn)
  judgement.atMost('heap', heap, most)
  const { missed } = judgement
  return { fault: name, place: {}, over: { known: over }, machine, heap, turn: longest, missed }
}
