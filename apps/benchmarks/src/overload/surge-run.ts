import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { type KindName, kinds } from './kinds.ts'
import { OpenLoop, type Outcomes } from './open-loop.ts'

/** One surge against a guarded server of its own. */
export interface SurgeRun {
  /** At half of the capacity, before. */
  readonly calm: Outcomes
  readonly surge: Outcomes
}

const [guard, kind, times, ms] = process.argv.slice(2) as [string, string, string, string]
const server = fork(fileURLToPath(new URL('server-run.js', import.meta.url)), [guard, kind])
server.once('exit', code => {
  if (code !== 0) throw new Error(`The server ended with ${code}.`)
})
const [port] = (await once(server, 'message')) as [number]
const clients = new OpenLoop(port)
await clients.open()
const { capacity } = kinds[kind as KindName]
const calm = await clients.load(capacity / 2, Number(ms) / 2, Number(ms) / 4)
const surge = await clients.load(capacity * Number(times), Number(ms), Math.min(1000, Number(ms) / 4))
clients.close()
server.disconnect()
console.log(JSON.stringify({ calm, surge } satisfies SurgeRun))
// A call that is under way has timers of its own.
process.exit(0)
