import { runChild } from './child.ts'
import { loadMemory, type MemoryName, memoryNames, memoryPeers } from './contestants/index.ts'
import { median } from './cpu.ts'
import type { MemoryRun, Scenario } from './memory-run.ts'
import { figure, type Section } from './report.ts'

/** Options of the parts. */
export interface Effort {
  readonly quick: boolean
  /** Jobs of each process in the part `queue`. */
  readonly jobs?: number | undefined
}

const SCENARIOS: readonly Scenario[] = ['hot', 'fresh', 'denied']

/** Measures the CPU time of one check in memory, with a process per contestant, in turns, so that drift affects all alike. */
export async function memory({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 5
  const steps = quick ? 2000 : 500_000
  const runs = new Map<string, MemoryRun[]>()
  const run = async (name: MemoryName, scenario: Scenario): Promise<void> => {
    const key = `${name} ${scenario}`
    const found = await runChild<MemoryRun>('memory-run.js', [name, scenario, String(steps)])
    runs.set(key, [...(runs.get(key) ?? []), found])
  }
  for (let round = 0; round < rounds; round++) {
    for (const scenario of SCENARIOS) for (const name of memoryNames) await run(name, scenario)
    await run('halt-bucket', 'cutting')
  }
  const all = (scenario: Scenario): MemoryRun[] =>
    memoryNames.flatMap(name => runs.get(`${name} ${scenario}`) ?? [])
  const of = (name: MemoryName, scenario: Scenario): number =>
    median((runs.get(`${name} ${scenario}`) ?? []).map(({ own }) => own))
  const cheapest = (scenario: Scenario): number => Math.min(...memoryPeers.map(name => of(name, scenario)))
  const yardstick = (scenario: Scenario): number => median(all(scenario).map(each => each.yardstick))
  const cutting = of('halt-bucket', 'cutting')
  const ratio = (name: MemoryName, scenario: Scenario): string => {
    const each = (runs.get(`${name} ${scenario}`) ?? []).map(({ own, yardstick: yard }) => own / yard)
    return `${figure(of(name, scenario))} (${median(each).toFixed(2)} ×)`
  }
  const rows: string[][] = []
  for (const name of memoryNames) {
    const { name: title, answer } = await loadMemory(name)
    rows.push([title, answer, ratio(name, 'hot'), ratio(name, 'fresh'), ratio(name, 'denied')])
  }
  rows.push([
    'bare Map + GCRA loop',
    'token bucket',
    figure(yardstick('hot')),
    figure(yardstick('fresh')),
    figure(yardstick('denied')),
  ])

  return {
    name: 'memory',
    title: 'In memory: CPU ns a check (ratio to the bare loop beside it in the same process)',
    head: ['', 'answer', 'hot key', '100 000 fresh keys', 'hot key, denied'],
    rows,
    targets: [
      {
        what: 'token bucket, hot key, to the fastest peer',
        rule: 'most',
        bound: 1.2,
        measured: of('halt-bucket', 'hot') / cheapest('hot'),
        unit: '×',
      },
      {
        what: 'token bucket, 100 000 keys, as fast as the fastest peer',
        rule: 'least',
        bound: 1.7,
        measured: cheapest('fresh') / of('halt-bucket', 'fresh'),
        unit: '×',
      },
      {
        what: 'fixed window, hot key, to the token bucket',
        rule: 'most',
        bound: 1.5,
        measured: of('halt-window', 'hot') / of('halt-bucket', 'hot'),
        unit: '×',
      },
      {
        what: 'fixed window, 100 000 keys, to the token bucket',
        rule: 'most',
        bound: 1.5,
        measured: of('halt-window', 'fresh') / of('halt-bucket', 'fresh'),
        unit: '×',
      },
      {
        what: 'sliding window, hot key, to the token bucket',
        rule: 'most',
        bound: 1.5,
        measured: of('halt-sliding', 'hot') / of('halt-bucket', 'hot'),
        unit: '×',
      },
      {
        what: 'sliding window, 100 000 keys, to the token bucket',
        rule: 'most',
        bound: 1.5,
        measured: of('halt-sliding', 'fresh') / of('halt-bucket', 'fresh'),
        unit: '×',
      },
    ],
    notes: [
      `Median of ${rounds} rounds of ${steps} checks, a fresh process each, contestants in turns, the bare loop before and after. CPU time of the whole process, compiler and garbage collector included.`,
      `Fresh keys are 20 characters, made from a Buffer each time, which alone took ${figure(cutting)} ns of each figure.`,
      `100 000 keys, less that time: ${memoryNames.map(name => `${name} ${figure(of(name, 'fresh') - cutting)}`).join(', ')}.`,
      'A log costs more the more it holds. @nestjs/throttler is measured with 100 admitted checks per key.',
      'All of these are bare stores. The limiters are in the next table.',
    ],
  }
}
