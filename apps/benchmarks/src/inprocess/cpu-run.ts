import { type App, makeServer } from '../contestants/apps/index.ts'
import { cpuNanos } from '../cpu.ts'
import { Client, CONNECTIONS } from './client.ts'
import { requestsFor } from './requests.ts'

/** The results of one process: CPU microseconds per request, as low quantiles over short chunks. */
export interface CpuRun {
  readonly p5: number
  readonly p10: number
  readonly p25: number
}

/** Runs the app for `rounds` rounds of one request a connection, after a warm-up that names every client once. */
async function main(app: App, warm: number, rounds: number): Promise<CpuRun> {
  const client = new Client(await makeServer(app), requestsFor(app))
  for (let i = 0; i < warm; i++) await client.round()
  const spent = new Float64Array(rounds)
  for (let i = 0; i < rounds; i++) {
    const before = cpuNanos()
    await client.round()
    spent[i] = (cpuNanos() - before) / 1000 / CONNECTIONS
  }
  spent.sort()
  const at = (share: number): number => spent[Math.floor(share * rounds)] ?? Number.NaN
  return { p5: at(0.05), p10: at(0.1), p25: at(0.25) }
}

const [, , app = '', warm = '', rounds = ''] = process.argv
console.log(JSON.stringify(await main(JSON.parse(app) as App, Number(warm), Number(rounds))))
// Timers of the limiters would keep the process alive.
process.exit(0)
