import { runChild } from './child.ts'
import { loadMemory, type MemoryName, memoryPeers } from './contestants/index.ts'
import { median } from './cpu.ts'
import type { Effort } from './memory.ts'
import { figure, type Section } from './report.ts'
import type { SizeRun } from './size-run.ts'

const HALT: readonly MemoryName[] = ['halt-bucket', 'halt-window', 'halt-sliding']

/** Measures the bytes of one live key in memory: heap and buffers, the key's own string included. */
export async function size({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 3
  const count = quick ? 10_000 : 1_000_000
  const bytes = new Map<MemoryName, number>()
  const rows: string[][] = []
  for (const name of [...HALT, ...memoryPeers]) {
    const runs: number[] = []
    for (let round = 0; round < rounds; round++) {
      const run = await runChild<SizeRun>(
        'size-run.js',
        [name, String(count)],
        ['--expose-gc', '--max-old-space-size=8000'],
      )
      runs.push(run.bytes)
    }
    bytes.set(name, median(runs))
    const { name: title, answer } = await loadMemory(name)
    rows.push([title, answer, figure(median(runs))])
  }
  const best = Math.min(...memoryPeers.map(name => bytes.get(name) ?? Number.NaN))
  return {
    name: 'size',
    title: `In memory: bytes a live key at ${count.toLocaleString('en')} keys`,
    head: ['', 'answer', 'bytes'],
    rows,
    targets: [
      {
        what: `token bucket, 20-character keys (best peer ${figure(best)})`,
        rule: 'most',
        bound: 80,
        measured: bytes.get('halt-bucket') ?? Number.NaN,
        unit: 'bytes',
      },
    ],
    notes: [
      `Median of ${rounds} processes with --expose-gc: heapUsed + external after the keys were added, less the value before.`,
    ],
  }
}
