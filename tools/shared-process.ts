// Runs before each test file, for files that share one process.
import { silence } from '../packages/core/src/index.ts'

// The tests of many files together build a hundred limiters of one policy. The tests of that warning turn it on again.
silence('HALT_W_LIMITER_PER_REQUEST')

// Each code is printed once per process, so another file may have had it printed.
;(globalThis as { [name: symbol]: Set<string> | undefined })[Symbol.for('halt.warnings.said')]?.clear()
