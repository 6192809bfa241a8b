import { Control } from '@halt/control'
import type { Store } from '@halt/core/store'

import { controlProblem } from '../operate/control-problem.ts'
import { isUnread, type StoreAddress } from '../operate/store-address.ts'
import type { Finding } from './finding.ts'

/**
 * Whether what operators have set can be read, and whether a process reads it. The processes hold the last entries that they could
 * read.
 */
export async function controlFindings(store: Store, address: StoreAddress): Promise<Finding[]> {
  const control = new Control({ store, warn: () => {} })
  try {
    const { length } = await control.entries()
    const problem = controlProblem(control)
    if (problem !== undefined)
      return [{ level: 'problem', code: problem.code, message: problem.summary, fix: problem.fix }]
    if (length === 0) return []
    return [
      { level: 'info', message: `Operators have set ${length}: "entries" lists what holds.` },
      ...(isIgnored(address) ? [IGNORED] : []),
    ]
  } catch {
    // The other findings tell why the store refuses to answer.
    return []
  } finally {
    control.close()
  }
}

/** Whether processes live, and none of them reads what stands here. Where none lives at all, a set-up may be at rest. */
function isIgnored(address: StoreAddress): boolean {
  return isUnread(address) && (address.processes !== 0 || address.elsewhere.length > 0)
}

const IGNORED: Finding = {
  level: 'problem',
  code: 'HALT_W_CONTROL_ELSEWHERE',
  message: 'No live process reads what operators have set here, so it has no effect.',
  fix: 'Give the limiters a Control on this store: new Control({ store }), new RateLimiter({ store, policy, control }).',
}
