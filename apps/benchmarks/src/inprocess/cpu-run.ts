import { ROOMY } from '../contestants/apps/app.ts'
import { type App, makeServer } from '../contestants/apps/index.ts'
import { cpuNanos, quantile } from '../cpu.ts'
import { Client, CONNECTIONS } from './client.ts'
import { clientsIn } from '../scenes.ts'

/** The share of the rounds that are faster than the result: without collections of garbage, and without other processes. */
const SHARE = 0.1

const TICKS = 200_000

/** Lets V8 compile `process.nextTick` for good. Else some apps get slow code for it, 3 µs a request, whatever they do themselves. */
function warmTicks(): Promise<void> {
  return new Promise(resolve => {
    let left = TICKS
    const tick = (): void => {
      if (--left === 0) resolve()
      else process.nextTick(tick)
    }
    tick()
  })
}

const [, , given = '', warm = '', rounds = ''] = process.argv
const app = JSON.parse(given) as App
await warmTicks()
const client = new Client(await makeServer(app), clientsIn(app), app.limit < ROOMY)
for (let i = 0; i < Number(warm); i++) await client.round('in turn')
const spent: number[] = []
for (let i = 0; i < Number(rounds); i++) {
  const before = cpuNanos()
  await client.round()
  spent.push((cpuNanos() - before) / 1000 / CONNECTIONS)
}
console.log(JSON.stringify({ micros: quantile(spent, SHARE) }))
// Timers of the limiters would keep the process alive.
process.exit(0)
