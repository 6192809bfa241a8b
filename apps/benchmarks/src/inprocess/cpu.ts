import { runChild } from '../child.ts'
import { quantile } from '../cpu.ts'
import type { Found } from '../found.ts'
import { appOf, CLIENTS, contestantsOf, type SceneName, sceneNames } from '../scenes.ts'
import { CONNECTIONS } from './client.ts'

interface Length {
  /** The turns: in each one, every app has a fresh process. Two processes of one Express app differ most. */
  readonly turns: number
  /** The rounds of one request a connection in each process, to warm up and to measure. */
  readonly warm: number
  readonly rounds: number
}

const LENGTHS: Readonly<Record<string, Length>> = {
  express: { turns: 7, warm: 80, rounds: 50 },
  fastify: { turns: 4, warm: 200, rounds: 250 },
  hono: { turns: 4, warm: 200, rounds: 250 },
  nest: { turns: 5, warm: 80, rounds: 50 },
}
const QUICK: Length = { turns: 1, warm: 3, rounds: 3 }

/** The CPU microseconds per request of the bare apps; what each limiter adds; its throughput as a share of the bare app's. */
export interface CpuFound {
  readonly bare: Found
  readonly added: Found
  readonly share: Found
}

/** Measures all apps in fresh processes, in turns, with the bare app of the same scene before and after each turn. */
export async function measureCpu(quick: boolean): Promise<CpuFound> {
  const bare = new Map<string, number>()
  const added = new Map<string, number>()
  const share = new Map<string, number>()
  for (const [framework, length] of Object.entries(LENGTHS)) {
    for (const scene of [...sceneNames, 'denied'] as const) {
      const limiters = contestantsOf(framework, scene)
      if (limiters.length === 0) continue
      const runs = await takeTurns(framework, scene, limiters, quick ? QUICK : lengthIn(scene, length))
      // The machine only ever adds time. So the lower quartile of the processes is steadier than their median.
      const of = (limiter: string): number => quantile(runs.get(limiter) ?? [], 0.25)
      bare.set(`${framework} bare ${scene}`, of('bare'))
      for (const limiter of limiters) {
        const key = `${framework} ${limiter} ${scene}`
        added.set(key, of(limiter) - of('bare'))
        share.set(key, of('bare') / of(limiter))
      }
    }
  }
  return { bare, added, share }
}

// By header, the warm-up names each client once.
function lengthIn(scene: SceneName, { warm, ...length }: Length): Length {
  return { ...length, warm: scene === 'header' ? Math.max(warm, Math.ceil(CLIENTS / CONNECTIONS)) : warm }
}

/** The CPU microseconds per request of each process, by limiter. */
async function takeTurns(
  framework: string,
  scene: SceneName,
  limiters: readonly string[],
  { turns, warm, rounds }: Length,
): Promise<Map<string, number[]>> {
  const runs = new Map<string, number[]>()
  const run = async (limiter: string): Promise<void> => {
    const args = [JSON.stringify(appOf(framework, limiter, scene)), String(warm), String(rounds)]
    const { micros } = await runChild<{ micros: number }>('inprocess/cpu-run.js', args)
    runs.set(limiter, [...(runs.get(limiter) ?? []), micros])
  }
  await run('bare')
  for (let turn = 0; turn < turns; turn++) {
    for (const limiter of limiters) await run(limiter)
    await run('bare')
  }
  return runs
}
