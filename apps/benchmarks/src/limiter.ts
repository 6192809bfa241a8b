import type { BytesRun } from './bytes-run.ts'
import { runChild } from './child.ts'
import { type LimiterName, loadMemory } from './contestants/index.ts'
import { median } from './cpu.ts'
import { limiterTargets } from './limiter-targets.ts'
import type { Effort } from './memory.ts'
import type { MemoryRun, Scenario } from './memory-run.ts'
import { figure, type Section } from './report.ts'

interface Row {
  readonly name: LimiterName
  /** The row that it is compared with. */
  readonly beside?: LimiterName
  readonly scenarios: readonly Scenario[]
}

const ROWS: readonly Row[] = [
  {
    name: 'check',
    beside: 'flexible-address',
    scenarios: ['hot', 'live', 'full', 'fresh', 'first', 'denied'],
  },
  { name: 'flexible-address', scenarios: ['hot', 'live', 'full', 'fresh', 'first', 'denied'] },
  { name: 'check-user', beside: 'check', scenarios: ['hot', 'live', 'full', 'denied'] },
  { name: 'check-extractor', beside: 'check', scenarios: ['hot', 'live', 'full', 'denied'] },
  { name: 'check-api-key', beside: 'check', scenarios: ['hot', 'live', 'full'] },
  { name: 'check-route', beside: 'check', scenarios: ['hot', 'live', 'full'] },
  {
    name: 'consume',
    beside: 'flexible',
    scenarios: ['short', 'hot', 'live', 'full', 'fresh', 'first', 'denied'],
  },
  { name: 'flexible', scenarios: ['short', 'hot', 'live', 'full', 'fresh', 'first', 'denied'] },
  { name: 'consume-three', beside: 'flexible-union', scenarios: ['short', 'hot', 'live', 'full', 'denied'] },
  { name: 'consume-quota', beside: 'flexible-union', scenarios: ['short', 'hot', 'live', 'denied'] },
  { name: 'check-three', beside: 'flexible-union', scenarios: ['hot', 'live', 'full', 'denied'] },
  { name: 'flexible-union', scenarios: ['short', 'hot', 'live', 'full', 'denied'] },
  { name: 'peek', beside: 'flexible-get', scenarios: ['hot'] },
  { name: 'flexible-get', scenarios: ['hot'] },
]

const COLUMNS: readonly (readonly [title: string, scenario: Scenario])[] = [
  ['"key"', 'short'],
  ['hot key', 'hot'],
  ['10 000 keys, alive', 'live'],
  ['10 000 keys, full again', 'full'],
  ['100 000 fresh keys', 'fresh'],
  ['first-seen keys', 'first'],
  ['hot key, denied', 'denied'],
]

// Room for all that a measured stretch allocates.
const BYTES_FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128']

/** Measures the CPU time of the methods of a limiter, and of those of its peer, in turns. */
export async function limiter({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 5
  const steps = quick ? 2000 : 400_000
  const runs = new Map<string, MemoryRun[]>()
  const bytes = new Map<LimiterName, number>()
  for (let round = 0; round < rounds; round++) {
    for (const [, scenario] of COLUMNS) {
      for (const { name, scenarios } of ROWS) {
        if (!scenarios.includes(scenario)) continue
        // First-seen keys stay in memory, so there are fewer.
        const count = scenario === 'first' ? steps / 2 : steps
        const found = await runChild<MemoryRun>('memory-run.js', [name, scenario, String(count)])
        runs.set(`${name} ${scenario}`, [...(runs.get(`${name} ${scenario}`) ?? []), found])
      }
    }
  }
  for (const { name } of ROWS) bytes.set(name, await bytesOf(name, rounds))

  const nanos = (name: LimiterName, scenario: Scenario): number[] =>
    (runs.get(`${name} ${scenario}`) ?? []).map(({ own }) => own)
  const toBare = (name: LimiterName, scenario: Scenario): number =>
    median((runs.get(`${name} ${scenario}`) ?? []).map(({ own, yardstick }) => own / yardstick))
  // Of the runs of one round, which are the nearest in time.
  const ratio = (name: LimiterName, beside: LimiterName, scenario: Scenario): number => {
    const others = nanos(beside, scenario)
    return median(nanos(name, scenario).map((own, round) => own / (others[round] ?? Number.NaN)))
  }
  const rows: string[][] = []
  for (const { name, beside } of ROWS) {
    const cells = COLUMNS.map(([, scenario]) => {
      const own = nanos(name, scenario)
      if (own.length === 0) return ''
      return (
        figure(median(own)) + (beside === undefined ? '' : ` (${figure(ratio(name, beside, scenario))} ×)`)
      )
    })
    const title = await titleOf(name)
    rows.push([
      title,
      beside === undefined ? '' : await titleOf(beside),
      ...cells,
      figure(bytes.get(name) ?? Number.NaN),
    ])
  }
  const yardsticks = COLUMNS.map(([, scenario]) =>
    median(ROWS.flatMap(({ name }) => runs.get(`${name} ${scenario}`) ?? []).map(each => each.yardstick)),
  )
  rows.push(['bare Map + GCRA loop', '', ...yardsticks.map(figure), ''])
  return {
    name: 'limiter',
    title: 'The limiter, in memory: CPU ns a call (ratio to the row that is named beside it)',
    head: ['', 'beside', ...COLUMNS.map(([title]) => title), 'bytes a call'],
    rows,
    targets: limiterTargets({
      ratio,
      toBare,
      nanos: (name, scenario) => median(nanos(name, scenario)),
      bytes: name => bytes.get(name) ?? Number.NaN,
    }),
    notes: [
      `Median of ${rounds} rounds of ${steps} calls, half as many for first-seen keys, a fresh process each, in turns. Ratios are those of one round, then their median. CPU time of the whole process.`,
      'A hot key has 20 characters, or is an address. "key" has three: rate-limiter-flexible joins each key with a prefix, which costs it more for longer keys. The 100 000 keys are live, and a new string each time; the first-seen are live after the call.',
      '10 000 keys, each a new string, in an order that visits all: their counters are alive at the next visit (1000 units in 10 minutes), or full again, as those of most clients (600 million), so a store may have dropped them. A header with a key is 7 others copied with it; each such key has an address of its own.',
      'limiter.check(request) does all that an adapter asks of it, for a Node request with seven headers. An API key is not verified, so its address is counted in the same step, as by default.',
      'rate-limiter-flexible counts in fixed windows. Its Union charges three limiters one by one, and keeps the charges of two when the third refuses. Halt charges three policies together or none.',
      'Bytes: what a call of a hot key allocates, with a new space that holds them all. The request itself and its socket take 120 of those of a check.',
    ],
  }
}

/** The bytes that a call allocates. They depend on which calls the compiler has inlined, so this takes the median. */
async function bytesOf(name: LimiterName, rounds: number): Promise<number> {
  const found: number[] = []
  for (let round = 0; round < rounds; round++)
    found.push((await runChild<BytesRun>('bytes-run.js', [name], BYTES_FLAGS)).bytes)
  return median(found)
}

async function titleOf(name: LimiterName): Promise<string> {
  return (await loadMemory(name)).name
}
