// Runs before each test file, for files that share one process.
import './chance.ts'
import './watchdog.ts'
import { silence } from '../packages/core/src/index.ts'

// The tests of many files together build a hundred limiters of one policy. The tests of that warning turn it on again.
silence('HALT_W_LIMITER_PER_REQUEST')

// Each code is printed once per process, so another file may have had it printed.
;(globalThis as { [name: symbol]: Set<string> | undefined })[Symbol.for('halt.warnings.said')]?.clear()

// A file that leaves its own clock or timers would make those after it wait for ever.
const TIMES = ['setTimeout', 'setInterval', 'setImmediate', 'Date', 'queueMicrotask'] as const
const host = globalThis as unknown as Record<string | symbol, unknown>
const KEY = Symbol.for('halt.tests.times')
const found = {
  ...Object.fromEntries(TIMES.map(name => [name, host[name]])),
  now: Date.now,
  mark: Reflect.get(performance, 'now') as unknown,
}
const first = (host[KEY] ??= found) as typeof found
for (const [name, value] of Object.entries(found))
  if (value !== first[name as keyof typeof first])
    throw new Error(`A test file before this one has left its own ${name}.`)
