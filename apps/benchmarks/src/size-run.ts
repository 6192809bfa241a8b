import { loadMemory } from './contestants/index.ts'
import { freshKeys } from './keys.ts'

/** The results of one process: bytes per live key, the key's string included, and the number of keys still known. */
export interface SizeRun {
  readonly bytes: number
}

function used(): number {
  // Twice, because a second collection frees what the first one finalized.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const [, , name = '', given = '1000000'] = process.argv
const count = Number(given)
const contestant = await loadMemory(name)
const opened = await contestant.open({ limit: 100, windowMs: 3_600_000 })
const next = freshKeys(count)
// The first check allocates what is allocated once.
await opened.ask('warm')
const before = used()
let admitted = 0
for (let i = 0; i < count; i++) if (opened.admits(await opened.ask(next()))) admitted++
const bytes = (used() - before) / count
// Used once more, so that it is not collected before it is measured.
await opened.ask(next())
if (admitted !== count) throw new Error(`${contestant.name} admitted ${admitted} of ${count}`)
console.log(JSON.stringify({ bytes } satisfies SizeRun))
// A million timers would keep the process alive for an hour.
process.exit(0)
