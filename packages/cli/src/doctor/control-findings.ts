import { Control } from '@halt/core'
import type { Store } from '@halt/core/store'

import { controlProblem } from '../operate/control-problem.ts'
import type { Finding } from './finding.ts'

/** Whether what operators have set can be read. The processes hold the last entries that they could read. */
export async function controlFindings(store: Store): Promise<Finding[]> {
  const control = new Control({ store, warn: () => {} })
  try {
    const { length } = await control.entries()
    const problem = controlProblem(control)
    if (problem !== undefined)
      return [{ level: 'problem', code: problem.code, message: problem.summary, fix: problem.fix }]
    return length === 0
      ? []
      : [{ level: 'info', message: `Operators have set ${length}: "entries" lists what holds.` }]
  } catch {
    // The other findings tell why the store refuses to answer.
    return []
  } finally {
    control.close()
  }
}
