import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { type App, makeServer } from '../contestants/apps/index.ts'
import { NodeRequest } from '../contestants/halt.ts'
import { Client, CONNECTIONS } from './client.ts'
import { requestsFor } from './requests.ts'

// Run with a semi-space that is larger than all that is allocated, and with --expose-gc.

/** The results of one process: bytes allocated per request, or per check. */
export interface BytesRun {
  readonly bytes: number
}

/** Allocates for `each` requests or checks at once. */
interface Work {
  readonly each: number
  run(): Promise<unknown>
}

async function httpWork(app: App): Promise<Work> {
  const client = new Client(await makeServer(app), requestsFor(app))
  return { each: CONNECTIONS, run: () => client.round() }
}

/** One check of a hot address, with the same request each time. */
function checkWork(): Work {
  const policy = { name: 'api', limit: 100_000, window: '10m' }
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy, exemptPrivateIps: false })
  const request = new NodeRequest('11.0.0.7')
  return { each: 1, run: () => limiter.check(request) }
}

/** The bytes that a measurement allocates: less than half of the semi-space, because a run of the same length precedes it. */
const MEASURED = 45_000_000

async function bytesOf({ each, run }: Work, warm: number): Promise<number> {
  /** Runs `count` rounds and returns the bytes of all. */
  const allocated = async (count: number): Promise<number> => {
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < count; i++) await run()
    return process.memoryUsage().heapUsed - before
  }
  await allocated(warm)
  globalThis.gc?.()
  let collections = 0
  const observer = new PerformanceObserver(list => void (collections += list.getEntries().length))
  observer.observe({ entryTypes: ['gc'] })
  const rounds = Math.ceil((MEASURED / (await allocated(warm / 10))) * (warm / 10))
  // Runs twice, because the collection discards compiled code, and the code for the first requests after it allocates more.
  await allocated(rounds)
  const bytes = await allocated(rounds)
  // Node tells of a collection in a later turn of the event loop.
  await setTimeout(20)
  observer.disconnect()
  if (collections > 0) throw new Error(`${collections} garbage collections spoil the difference.`)
  return bytes / rounds / each
}

const [, , app = '', warm = ''] = process.argv
const work = app === 'check' ? checkWork() : await httpWork(JSON.parse(app) as App)
console.log(JSON.stringify({ bytes: await bytesOf(work, Number(warm)) } satisfies BytesRun))
// Timers of the limiters would keep the process alive.
process.exit(0)
