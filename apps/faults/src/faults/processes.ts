import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import type { AnyPolicy } from '@halt/core'

import { COUNTER } from '../bundle-paths.ts'
import type { Place, Scene } from '../fault.ts'
import { Judgement, type Row } from '../row.ts'
import { World } from '../world.ts'

const LIMIT = 1_000
const ASKS = 2_560
// Milliseconds that the processes' clocks are off.
const SKEWS = [0, 30_000, -30_000, 3_600_000]

/** Processes that share a limit of 1000, their clocks half a minute and an hour apart: exactly 1000 are let in. */
export const processes: readonly Scene[] = [2, 4, 16].map(count => ({
  name: `${count} processes, clocks apart`,
  on: ['redis', 'valkey', 'cluster'],
  heavy: true,
  run: place => play(count, place),
}))

async function play(count: number, place: Place): Promise<Row> {
  const world = await World.start(place.server, {})
  const fault = `${count} processes, clocks apart`
  const policies: readonly AnyPolicy[] = [
    { name: 'bucket', limit: LIMIT, window: 3600 },
    // A year, so that a clock's hour does not change the period.
    { name: 'quota', limit: LIMIT, period: 'yearly' },
  ]
  try {
    const judgement = new Judgement()
    const sums: number[] = []
    for (const policy of policies) {
      const run = async (skew: number): Promise<number> => {
        const args = [
          place.client,
          place.server,
          world.port,
          skew,
          Math.floor(ASKS / count),
          JSON.stringify(policy),
        ]
        const { stdout } = await promisify(execFile)(process.execPath, [COUNTER, ...args.map(String)])
        return Number(stdout)
      }
      const skews = Array.from({ length: count }, (_, i) => SKEWS[i % SKEWS.length] as number)
      const admitted = (await Promise.all(skews.map(run))).reduce((sum, one) => sum + one)
      sums.push(admitted)
      judgement.exactly(`admitted by the ${policy.name}`, admitted, LIMIT)
    }
    const over = Math.max(0, ...sums) - LIMIT
    const note = `${sums.join(' and ')} of ${LIMIT}`
    return { fault, place, over: { known: over }, note, missed: judgement.missed }
  } finally {
    await world.stop()
  }
}
