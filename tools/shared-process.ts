// The files of a package share one process, so the tests of many files together build a hundred limiters of one policy. The
// tests of that warning turn it on again.
import { silence } from '../packages/core/src/index.ts'

silence('HALT_W_LIMITER_PER_REQUEST')
