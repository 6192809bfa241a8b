import { runChild } from '../child.ts'
import { median } from '../cpu.ts'
import { appOf, contestantsOf, type Found, LIMITERS, type SceneName, sceneNames } from '../scenes.ts'
import type { CpuRun } from './cpu-run.ts'

/** The rounds of one request a connection in each process: to warm up, and to measure. A fast app takes more of them. */
const ROUNDS: Readonly<Record<string, readonly [warm: number, measured: number]>> = {
  express: [120, 120],
  fastify: [300, 400],
  hono: [300, 400],
  nest: [120, 100],
}

/** The CPU microseconds per request: of the bare apps, and what each limiter adds to them. */
export interface CpuFound {
  readonly bare: Found
  readonly added: Found
}

/** Measures all apps in fresh processes, in turns, with the bare app of the same scene before and after each turn. */
export async function measureCpu(turns: number, quick: boolean): Promise<CpuFound> {
  const bare = new Map<string, number>()
  const added = new Map<string, number>()
  for (const framework of Object.keys(LIMITERS)) {
    for (const scene of sceneNames) {
      const limiters = contestantsOf(framework, scene)
      if (limiters.length === 0) continue
      const found = await measureScene(framework, scene, limiters, turns, quick)
      bare.set(`${framework} bare ${scene}`, median(found.bare))
      for (const [limiter, values] of found.added) added.set(`${framework} ${limiter} ${scene}`, median(values))
    }
  }
  return { bare, added }
}

interface SceneFound {
  readonly bare: readonly number[]
  readonly added: ReadonlyMap<string, readonly number[]>
}

async function measureScene(
  framework: string,
  scene: SceneName,
  limiters: readonly string[],
  turns: number,
  quick: boolean,
): Promise<SceneFound> {
  const [warm, measured] = quick ? [4, 4] : (ROUNDS[framework] ?? [0, 0])
  const run = async (limiter: string): Promise<number> => {
    const args = [JSON.stringify(appOf(framework, limiter, scene)), String(warm), String(measured)]
    const found = await runChild<CpuRun>('inprocess/cpu-run.js', args)
    return found.p10
  }
  const bare = [await run('bare')]
  const added = new Map<string, number[]>(limiters.map(limiter => [limiter, []]))
  for (let turn = 0; turn < turns; turn++) {
    // Every other turn in the opposite order, because the machine drifts.
    const order = turn % 2 === 0 ? limiters : limiters.toReversed()
    const spent = new Map<string, number>()
    for (const limiter of order) spent.set(limiter, await run(limiter))
    const before = bare.at(-1) ?? Number.NaN
    const after = await run('bare')
    bare.push(after)
    for (const [limiter, value] of spent) added.get(limiter)?.push(value - (before + after) / 2)
  }
  return { bare, added }
}
