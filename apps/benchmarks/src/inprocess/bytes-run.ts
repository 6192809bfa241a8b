import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { type App, makeServer } from '../contestants/apps/index.ts'
import { NodeRequest } from '../contestants/node-request.ts'
import { Client, CONNECTIONS } from './client.ts'

// Counts the bytes that a request or a check allocates. Run with --expose-gc and a semi-space of 128 MB, so that no garbage
// is collected meanwhile.

/** Work of which each run allocates for `each` requests or checks. */
interface Work {
  readonly each: number
  run(): Promise<unknown>
}

/** The bytes of one measurement: a third of the semi-space, because a run of the same length precedes it. */
const MEASURED = 45_000_000

async function httpWork(app: App): Promise<Work> {
  const client = new Client(await makeServer(app), undefined)
  return { each: CONNECTIONS, run: () => client.round() }
}

/** One check of a hot address, with the same request each time. */
function checkWork(): Work {
  const policy = { name: 'api', limit: 600_000_000, window: '10m' }
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy, exemptPrivateIps: false })
  const request = new NodeRequest('11.0.0.7')
  return { each: 1, run: () => limiter.check(request) }
}

/** Runs the work `count` times and returns the bytes of all. */
async function allocated({ run }: Work, count: number): Promise<number> {
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < count; i++) await run()
  return process.memoryUsage().heapUsed - before
}

async function main(work: Work, warm: number): Promise<number> {
  await allocated(work, warm)
  globalThis.gc?.()
  let collections = 0
  const observer = new PerformanceObserver(list => void (collections += list.getEntries().length))
  observer.observe({ entryTypes: ['gc'] })
  const few = Math.ceil(warm / 16)
  const count = Math.ceil((MEASURED / (await allocated(work, few))) * few)
  // Once before, because the collection discards compiled code, and code that is not compiled allocates more.
  await allocated(work, count)
  const bytes = await allocated(work, count)
  // Node tells of a collection in a later turn of the event loop.
  await setTimeout(20)
  observer.disconnect()
  if (collections > 0) throw new Error(`${collections} garbage collections spoil the difference.`)
  return bytes / count / work.each
}

const [, , given = '', warm = ''] = process.argv
const work = given === 'check' ? checkWork() : await httpWork(JSON.parse(given) as App)
console.log(JSON.stringify({ bytes: await main(work, Number(warm)) }))
// Timers of the limiters would keep the process alive.
process.exit(0)
