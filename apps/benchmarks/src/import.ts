import { runChild } from './child.ts'
import { median } from './cpu.ts'
import type { ImportRun } from './import-run.ts'
import type { Effort } from './memory.ts'
import { figure, type Section } from './report.ts'

const SETS: readonly (readonly string[])[] = [
  ['@halt/core', '@halt/store-memory'],
  ['@halt/express'],
  ['hono-rate-limiter'],
  ['@nestjs/throttler'],
  ['@fastify/rate-limit'],
  ['rate-limiter-flexible'],
  ['express-rate-limit'],
]

/** Measures the import of a limiter in a fresh process. */
export async function importing({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 21
  const runs = SETS.map(() => [] as ImportRun[])
  for (let round = 0; round < rounds; round++) {
    for (const [i, specifiers] of SETS.entries()) runs[i]?.push(await runChild('import-run.js', specifiers))
  }
  const walls = runs.map(each => median(each.map(run => run.wall)))
  const cpus = runs.map(each => median(each.map(run => run.cpu)))
  return {
    name: 'import',
    title: 'Import: milliseconds in a fresh process',
    head: ['', 'wall', 'CPU'],
    rows: SETS.map((specifiers, i) => [
      specifiers.join(' + '),
      figure(walls[i] ?? Number.NaN),
      figure(cpus[i] ?? Number.NaN),
    ]),
    targets: [
      {
        what: '@halt/core and @halt/store-memory together',
        rule: 'most',
        bound: 5,
        measured: walls[0] ?? Number.NaN,
        unit: 'ms',
      },
      {
        what: '@halt/express, with what it imports',
        rule: 'most',
        bound: 7,
        measured: walls[1] ?? Number.NaN,
        unit: 'ms',
      },
    ],
    notes: [`Median of ${rounds} processes, \`await import()\` of the built files, in turns.`],
  }
}
