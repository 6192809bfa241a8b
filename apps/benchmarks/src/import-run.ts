import { cpuNanos } from './cpu.ts'

/** The time of the import in this process, in milliseconds. */
export interface ImportRun {
  readonly wall: number
  readonly cpu: number
}

const specifiers = process.argv.slice(2)
const cpu = cpuNanos()
const wall = performance.now()
for (const specifier of specifiers) await import(specifier)
console.log(
  JSON.stringify({ wall: performance.now() - wall, cpu: (cpuNanos() - cpu) / 1e6 } satisfies ImportRun),
)
process.exit(0)
