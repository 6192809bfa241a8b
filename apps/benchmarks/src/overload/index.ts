import { runChild } from '../child.ts'
import { median } from '../cpu.ts'
import type { Effort } from '../memory.ts'
import { figure, type Section, type Target } from '../report.ts'
import { type GuardName, guards } from './guards.ts'
import { type KindName, kinds } from './kinds.ts'
import { hotPath } from './hot-path.ts'
import type { SurgeRun } from './surge-run.ts'

const TIMES = [0.7, 1.5, 10]
const names = Object.keys(guards) as GuardName[]
const kindNames: readonly KindName[] = ['cpu', 'pool']

interface Row {
  /** Answers in time, of what the best static limit gave in the same round. */
  readonly ratio: number
  readonly goodPerSecond: number
  readonly p99: number
  readonly calmP99: number
  readonly refused: number
  readonly failed: number
}

/** Compares guards against overload under a real load. Ratios are within one round, because other work changes the capacity. */
export async function overload({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 2
  const ms = quick ? 1000 : 3000
  const found = new Map<string, Row[]>()
  for (const kind of kindNames) {
    for (const times of TIMES) {
      for (let round = 0; round < rounds; round++) await measure(found, kind, times, ms)
    }
  }
  const of = (kind: KindName, times: number, name: GuardName, what: keyof Row): number =>
    median((found.get(`${kind} ${times} ${name}`) ?? []).map(row => row[what]))
  const targets: Target[] = kindNames.flatMap(kind => [
    bound(`refused at 0.7 ×: ${kinds[kind].title}`, 0, of(kind, 0.7, 'halt', 'refused') * 100, '%', 'most'),
    ...[1.5, 10].flatMap(times => [
      bound(
        `answers in time at ${times} ×, of the best static limit: ${kinds[kind].title}`,
        80,
        of(kind, times, 'halt', 'ratio') * 100,
        '%',
        'least',
      ),
      bound(
        `99th percentile at ${times} ×, of that at 0.5 ×: ${kinds[kind].title}`,
        5,
        of(kind, times, 'halt', 'p99') / of(kind, times, 'halt', 'calmP99'),
        '×',
        'most',
      ),
    ]),
  ])
  const { admit, refuse } = await hotPath(quick ? 20_000 : 400_000)
  targets.push(bound('one request through wrap, without sockets', 1000, admit, 'ns', 'most'))
  targets.push(bound('one refusal, without sockets', 1000, refuse, 'ns', 'most'))
  const cost = async (guard: string): Promise<number> => {
    const runs: number[] = []
    for (let round = 0; round < rounds; round++)
      runs.push(await runChild<number>('overload/cost-run.js', [guard, String(quick ? 500 : 20_000)]))
    return Math.min(...runs)
  }
  const empty = await cost('none')
  targets.push(
    bound('a refusal, of an empty answer of Express', 0.25, (await cost('refusing')) / empty, '×', 'most'),
  )
  return {
    name: 'overload',
    title: 'Overload: a surge against a guarded server',
    head: [
      '',
      ...kindNames.flatMap(kind =>
        TIMES.map(times => `${kinds[kind].title}, ${times} ×: in time / p99 / refused / failed`),
      ),
    ],
    rows: names.map(name => [
      name,
      ...kindNames.flatMap(kind =>
        TIMES.map(times => {
          const [good, p99] = [of(kind, times, name, 'goodPerSecond'), of(kind, times, name, 'p99')]
          const percent = (what: 'refused' | 'failed'): string =>
            `${figure(100 * of(kind, times, name, what))} %`
          return `${figure(good)}/s / ${figure(p99)} ms / ${percent('refused')} / ${percent('failed')}`
        }),
      ),
    ]),
    targets,
    notes: [
      `An empty answer of Express takes ${figure(empty)} µs of the server's processor, reading and writing of sockets included.`,
      `Express behind each guard, and Fastify behind @fastify/under-pressure (maxEventLoopDelay 50); the others have their defaults. ${400} warm connections, Poisson arrivals by the clock, a deadline of 1 s. × is the offered load over the capacity. In time: answers with 200 within the deadline, a second. Failed: late, or no connection was free.`,
      `The first second of a surge is left out. Medians of ${rounds} rounds; within a round the guards take turns.`,
    ],
  }
}

async function measure(found: Map<string, Row[]>, kind: KindName, times: number, ms: number): Promise<void> {
  const runs = new Map<GuardName, SurgeRun>()
  for (const name of names)
    runs.set(name, await runChild<SurgeRun>('overload/surge-run.js', [name, kind, String(times), String(ms)]))
  const share = ({ surge }: SurgeRun): number => surge.good / surge.offered
  const best = Math.max(
    ...[...runs].filter(([name]) => name.startsWith('static')).map(([, run]) => share(run)),
  )
  const seconds = (ms - Math.min(1000, ms / 4)) / 1000
  for (const [name, run] of runs) {
    const { calm, surge } = run
    const row: Row = {
      ratio: share(run) / best,
      goodPerSecond: surge.good / seconds,
      p99: surge.p99,
      calmP99: calm.p99,
      refused: surge.refused / surge.offered,
      failed: surge.failed / surge.offered,
    }
    const key = `${kind} ${times} ${name}`
    found.set(key, [...(found.get(key) ?? []), row])
  }
}

function bound(
  what: string,
  wanted: number,
  measured: number,
  unit: Target['unit'],
  rule: Target['rule'],
): Target {
  return { what, bound: wanted, measured, unit, rule }
}
