import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'

import type { Policy } from '@halt/core'

import { COUNTER } from '../bundle-paths.ts'
import type { Scene } from '../fault.ts'
import { type Place, redisPlace } from '../place.ts'
import { Judgement, type Row } from '../row.ts'
import { World } from '../world.ts'

const LIMIT = 1_000
/** The number of processes in the short form. The long form also has others. */
const SHORT_COUNT = 4
// Longer than the deadline.
const WORK_MS = 130
// A burner ends after this time at the latest.
const BURN_MS = 120_000

/** The conditions of the processes. */
interface Kind {
  readonly name: string
  readonly on: Scene['on']
  /** The errors of their clocks, in milliseconds. */
  readonly skews: readonly number[]
  /**
   * True if every processor runs a burner, and the processes compute for longer than the deadline after each turn's
   * requests.
   */
  readonly busy: boolean
  /** The policies that they share; each process counts them in turn. */
  readonly policies: readonly Policy[]
  /** The number of requests of all processes together. */
  readonly asks: number
}

// So long that no unit comes back during a run on the slowest machine.
const bucket: Policy = { name: 'bucket', limit: LIMIT, window: '30d' }
// A year, so that a clock that is an hour wrong stays in the same period.
const quota: Policy = { name: 'quota', limit: LIMIT, period: 'yearly' }

// Units of it are charged for the whole window, wherever they are used.
const leased: Policy = {
  name: 'leased-window',
  limit: LIMIT,
  window: '30d',
  algorithm: 'fixed-window',
  lease: { share: 0.1, idle: '100ms' },
}

const kinds: readonly Kind[] = [
  {
    name: 'clocks apart',
    on: ['redis', 'valkey', 'cluster'],
    skews: [0, 30_000, -30_000, 3_600_000],
    busy: false,
    policies: [bucket, quota, leased],
    asks: 2_560,
  },
  {
    name: 'processors busy',
    on: ['redis', 'valkey'],
    skews: [0],
    busy: true,
    policies: [bucket],
    asks: 1_280,
  },
]

/**
 * Processes share a limit of 1000. Their clocks are half a minute and an hour apart, or a burner runs on every processor.
 * Exactly 1000 requests are admitted, and of a leased policy at most 1000.
 */
export const processes: readonly Scene[] = kinds.flatMap(kind =>
  [2, 4, 16].map(count => {
    const name = `${count} processes, ${kind.name}`
    return {
      name,
      on: kind.on,
      heavy: true,
      isLongOnly: count !== SHORT_COUNT,
      run: (place: Place) => play(name, count, kind, place),
    }
  }),
)

async function play(fault: string, count: number, kind: Kind, place: Place): Promise<Row> {
  const world = await World.start(redisPlace(place).server, {})
  const burners = kind.busy ? burn() : []
  try {
    const judgement = new Judgement()
    const run = async (skew: number): Promise<number[]> => {
      const asks = Math.floor(kind.asks / count)
      // If only the count is measured, processes may starve each other, so the deadline is long. Busy ones use the default.
      const [timeout, work] = kind.busy ? ['100ms', WORK_MS] : ['20s', 0]
      const { client, server } = place
      const args = [client, server, world.port, skew, asks, timeout, work, JSON.stringify(kind.policies)]
      const { stdout } = await promisify(execFile)(process.execPath, [COUNTER, ...args.map(String)])
      return JSON.parse(stdout) as number[]
    }
    const skews = Array.from({ length: count }, (_, i) => kind.skews[i % kind.skews.length] as number)
    const counts = await Promise.all(skews.map(run))
    const sums = kind.policies.map((policy, i) => {
      const admitted = counts.reduce((sum, each) => sum + (each[i] as number), 0)
      const what = `admitted by the ${policy.name}`
      judgement.atMost(what, admitted, LIMIT)
      // A process may end with units that another was refused.
      if (policy.lease === undefined) judgement.exactly(what, admitted, LIMIT)
      return admitted
    })
    const over = Math.max(0, ...sums) - LIMIT
    const note = `${sums.join(' and ')} of ${LIMIT}`
    return { fault, place, over: { known: over }, note, missed: judgement.missed }
  } finally {
    for (const burner of burners) burner.kill('SIGKILL')
    await world.stop()
  }
}

/** Starts a busy process on each processor. It ends by itself if nothing ends it before. */
function burn(): ChildProcess[] {
  const script = `const end = Date.now() + ${BURN_MS}; while (Date.now() < end);`
  return Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ['-e', script]))
}
