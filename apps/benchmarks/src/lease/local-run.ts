// The CPU of a check that a lease pays, and of a check in memory, in turns in one process.
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { cpuNanos, median } from '../cpu.ts'
import { hot } from './contestants.ts'

/** Nanoseconds of CPU a check: paid by a lease, and by the memory store. */
export interface LocalRun {
  readonly leased: number
  readonly memory: number
}

const LIMIT = { limit: 2_000_000_000, windowMs: 600_000 }
const [, , url = '', count = '200000'] = process.argv
const checks = Number(count)

async function nanos(ask: () => Promise<unknown>): Promise<number> {
  const began = cpuNanos()
  for (let i = 0; i < checks; i++) {
    await ask()
    // The calls that take units need the sockets.
    if (i % 4096 === 0) await new Promise(resolve => void setImmediate(resolve))
  }
  return (cpuNanos() - began) / checks
}

const leased = await hot.leased.open(url, LIMIT)
const memory = new RateLimiter({
  store: new InMemoryStore(),
  policy: { name: 'hot', limit: LIMIT.limit, window: `${LIMIT.windowMs}ms` },
})
const [own, other]: [number[], number[]] = [[], []]
for (let round = 0; round < 9; round++) {
  own.push(await nanos(() => leased.ask()))
  other.push(await nanos(async () => (await memory.consume('hot')).allowed))
}
console.log(
  JSON.stringify({ leased: median(own.slice(2)), memory: median(other.slice(2)) } satisfies LocalRun),
)
process.exit(0)
