import { baseline } from './contestants/baseline.ts'
import { type MemoryContestant, type Opened, type Task } from './contestants/contestant.ts'
import { loadMemory } from './contestants/index.ts'
import { cpuPerStep } from './cpu.ts'
import { addressAt, freshKeys, hotKey, hundreds, keyAt, type NextKey } from './keys.ts'

/** The results of one process: CPU nanoseconds per check, and those of the yardstick before and after. */
export interface MemoryRun {
  readonly own: number
  readonly yardstick: number
}

/**
 * One key admitted; one key of three characters admitted; many keys admitted, in turns; 10 000 keys whose counters live from visit
 * to visit; 10 000 keys whose counters are full again at the next visit; keys that are new to the limiter; one key
 * refused; and the cost of making many keys.
 */
export type Scenario = 'hot' | 'short' | 'fresh' | 'live' | 'full' | 'first' | 'denied' | 'cutting'

// Never refused, and small enough for a narrow slot of Halt's memory store.
const ROOMY: Task = { limit: 600_000_000, windowMs: 600_000 }
// A unit comes back in 0.6 s, long after the next round over all keys. So every key stays alive, as with the peers.
const LASTING: Task = { limit: 1000, windowMs: 600_000 }
const TIGHT: Task = { limit: 1, windowMs: 600_000 }
const MANY = 100_000
const CLIENTS = 10_000

// One scenario per process, because a loop that has seen several kinds of keys is compiled for all of them.
async function main(name: string, scenario: Scenario, steps: number): Promise<MemoryRun> {
  const contestant = await loadMemory(name)
  const nameOf = contestant.keys === 'addresses' ? addressAt : keyAt
  const many = Math.min(MANY, steps)
  if (scenario === 'cutting') {
    const next = freshKeys(many, nameOf)
    cut(next, steps / 4)
    const own = await cpuPerStep(steps, () => cut(next, steps))
    return { own, yardstick: own }
  }
  if (scenario === 'denied') return measure(contestant, TIGHT, () => hotKey(nameOf(7)), steps, false)
  if (scenario === 'fresh') {
    return measure(contestant, LASTING, () => freshKeys(many, nameOf), steps, true, prefill(many, nameOf))
  }
  if (scenario === 'live' || scenario === 'full') {
    const task = scenario === 'live' ? LASTING : ROOMY
    const count = Math.min(CLIENTS, steps)
    return measure(contestant, task, () => freshKeys(count, nameOf), steps, true, prefill(count, nameOf))
  }
  if (scenario === 'short') return measure(contestant, ROOMY, () => hotKey('key'), steps, true)
  if (scenario === 'first') {
    // The yardstick runs twice, after a quarter to warm up.
    return measure(contestant, LASTING, () => freshKeys(Math.ceil(steps * 2.25), nameOf), steps, true)
  }
  const logged = Array.from({ length: Math.ceil(steps / 50) }, (_, i) => nameOf(i))
  const keys = contestant.answer === 'log' ? () => hundreds(logged) : () => hotKey(nameOf(7))
  return measure(contestant, ROOMY, keys, steps, true)
}

type Fill = (ask: (key: string) => unknown) => Promise<void>

function prefill(count: number, nameOf: (i: number) => string): Fill {
  return async ask => {
    for (let i = 0; i < count; i++) await ask(nameOf(i))
  }
}

/** Runs yardstick, contestant, yardstick, because the machine drifts, but their ratio does not. */
async function measure(
  contestant: MemoryContestant,
  task: Task,
  keys: () => NextKey,
  steps: number,
  admits: boolean,
  fill?: Fill,
): Promise<MemoryRun> {
  const yard = await baseline.open(task)
  const own = await contestant.open(task)
  await fill?.(key => yard.ask(key))
  await fill?.(key => own.ask(key))
  const [yardKeys, ownKeys] = [keys(), keys()]
  await own.prepare?.(ownKeys())
  const runYard = (count: number): number => loopYard(yard, yardKeys, count)
  const runOwn = async (count: number): Promise<void> => {
    const admitted = contestant.isAsync ? await loopAsync(own, ownKeys, count) : loop(own, ownKeys, count)
    // One check may have been admitted before the others were refused.
    if (admits ? admitted !== count : admitted > 1) {
      throw new Error(
        `${contestant.name} admitted ${admitted} of ${count}: it does other work than it should`,
      )
    }
  }
  runYard(steps / 4)
  await runOwn(steps / 4)
  const before = await cpuPerStep(steps, () => runYard(steps))
  const result = await cpuPerStep(steps, () => runOwn(steps))
  const after = await cpuPerStep(steps, () => runYard(steps))
  own.close?.()
  return { own: result, yardstick: (before + after) / 2 }
}

function loop(opened: Opened<unknown>, next: NextKey, count: number): number {
  let admitted = 0
  for (let i = 0; i < count; i++) if (opened.admits(opened.ask(next()))) admitted++
  return admitted
}

// A copy for the yardstick, because a second contestant in the same function would change how it is compiled for the first.
function loopYard(opened: Opened<boolean>, next: NextKey, count: number): number {
  let admitted = 0
  for (let i = 0; i < count; i++) if (opened.admits(opened.ask(next()) as boolean)) admitted++
  return admitted
}

async function loopAsync(opened: Opened<unknown>, next: NextKey, count: number): Promise<number> {
  let admitted = 0
  for (let i = 0; i < count; i++) {
    // Here and not in the contestant, because there a handler would cost a second promise.
    try {
      if (opened.admits(await opened.ask(next()))) admitted++
    } catch (reason) {
      if (opened.isRefusal?.(reason) !== true) throw reason
    }
  }
  return admitted
}

function cut(next: NextKey, count: number): number {
  let length = 0
  for (let i = 0; i < count; i++) length += next().length
  return length
}

const [, , name = '', scenario = 'hot', steps = '1000000'] = process.argv
console.log(JSON.stringify(await main(name, scenario as Scenario, Number(steps))))
