// A process of its own, because other tests of a process also take memory. Prints by how many bytes each history grew.
//
// Its arguments: requests before the first measurement, requests until the second one, and the names of the histories (all if
// there are none). It needs --expose-gc.
import { type Decision, type Policy, RateLimiter } from '@halt/core'
import { ManualClock } from '@halt/core/testing'

import { InMemoryStore } from '../../src/index.ts'

const WINDOW = 60
const LIMIT = 1_000_000_000
const MANY = 1000

const policies: Readonly<Record<string, Policy>> = {
  'token-bucket': { name: 'p', limit: LIMIT, window: WINDOW },
  'fixed-window': { name: 'p', limit: LIMIT, window: WINDOW, algorithm: 'fixed-window' },
  'sliding-window': { name: 'p', limit: LIMIT, window: WINDOW, algorithm: 'sliding-window' },
  // Requests in flight are a list, so a high limit would measure its length.
  concurrency: { name: 'p', limit: 1, ttl: WINDOW, algorithm: 'concurrency' },
  quota: { name: 'p', limit: LIMIT, period: 'hourly', keyStrategy: 'custom' } as unknown as Policy,
}

type Way = (limiter: RateLimiter, id: string) => Promise<unknown>

const consume: Way = (limiter, id) => limiter.consume({ custom: id })
const ways: Readonly<Record<string, Way>> = {
  consume,
  run: (limiter, id) => limiter.run({ custom: id }, () => undefined),
  acquire: (limiter, id) => limiter.acquire({ custom: id }),
  settle: async (limiter, id) => limiter.settle((await consume(limiter, id)) as Decision, 0),
  release: async (limiter, id) => limiter.release((await consume(limiter, id)) as Decision),
}

interface Keys {
  /** How many counters live that no request uses: with none, the policy's last counter comes and goes. */
  readonly alive: number
  /** How many clients make the requests in turns. */
  readonly clients: number
  /** After how many requests the counters of the clients come to their end. */
  readonly ends: number
}

const keys: Readonly<Record<string, Keys>> = {
  none: { alive: 0, clients: MANY, ends: 1 },
  one: { alive: 1, clients: MANY, ends: MANY },
  many: { alive: MANY, clients: MANY, ends: MANY },
  // One client, whose counter never ends.
  same: { alive: 0, clients: 1, ends: Number.POSITIVE_INFINITY },
}

const gc = globalThis.gc as () => void

function used(): number {
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function growth(algorithm: string, way: string, { alive, clients, ends }: Keys): Promise<number> {
  const clock = new ManualClock()
  const store = new InMemoryStore({ clock: clock.now })
  const policy = { ...policies[algorithm]!, keyExtractor: () => undefined } as Policy
  const limiter = new RateLimiter({ store, policy, warn: () => undefined })
  const call = ways[way]!
  const window = algorithm === 'quota' ? 3600 : WINDOW
  const ids = Array.from({ length: clients }, (_, i) => `user-${i}`)
  // Counters that no request uses, and that stay.
  const keep = async (): Promise<void> => {
    for (let i = 0; i < alive; i++) await limiter.consume({ custom: `live-${i}` })
  }
  await keep()
  let made = 0
  const make = async (count: number): Promise<void> => {
    for (const end = made + count; made < end; made++) {
      await call(limiter, ids[made % ids.length]!)
      // The counter comes to its end, if the way has not ended it. A client whose request in flight never ends would be refused.
      if (made % (algorithm === 'concurrency' ? Math.min(ends, clients) : ends) === 0) clock.advance(window)
      if (made % MANY === 0) await keep()
    }
  }
  await make(before)
  const first = used()
  await make(until - before)
  return used() - first
}

const [before, until] = process.argv.slice(2, 4).map(Number) as [number, number]
const chosen = process.argv.slice(4)
const grown: Record<string, number> = {}
for (const algorithm of Object.keys(policies))
  for (const way of Object.keys(ways))
    for (const which of Object.keys(keys)) {
      const name = `${algorithm} ${way} ${which}`
      if (chosen.length === 0 || chosen.includes(name))
        grown[name] = await growth(algorithm, way, keys[which]!)
    }
process.stdout.write(JSON.stringify(grown))
