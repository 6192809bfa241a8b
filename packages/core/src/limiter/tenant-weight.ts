import { describe } from '../base/describe.ts'
import { messageOf } from '../base/errors.ts'
import { warnOfCallback } from '../base/callbacks.ts'
import { atOnce } from '../base/promises.ts'
import type { Warn } from '../base/warnings.ts'
import { type CompiledFair, isWeight } from '../policy/fair.ts'
import type { Caller } from '../request/caller.ts'

/** The weight of the tenant of a request. 1 if the function that returns it fails. */
export function weightOf(policy: string, weight: CompiledFair['weight'], caller: Caller, warn: Warn): number {
  if (typeof weight === 'number') return weight
  try {
    const found: unknown = atOnce(weight(caller.view.request as never))
    if (isWeight(found)) return found
    notice(warn, `weight of "${policy}" gave ${describe(found)}, which is not a whole number from 1 to 100.`)
  } catch (error) {
    notice(warn, `weight of "${policy}" failed: ${messageOf(error)}.`)
  }
  return 1
}

function notice(warn: Warn, message: string): void {
  warnOfCallback(
    warn,
    message,
    'Return a whole number from 1 to 100. Until then such a tenant has the weight 1.',
  )
}
