import { describe } from '../base/describe.ts'
import { type Fields, fail } from '../base/options-check.ts'
import { unitsOfShare } from '../store/terms.ts'

/**
 * Refuses a policy that no request could ever pass.
 *
 * @throws HaltError `HALT_E_COST`, `HALT_E_BURST`, `HALT_E_HEADROOM`
 */
export function checkCanPass(fields: Fields, isQuota: boolean): void {
  checkCost(fields, isQuota)
  if (!isQuota) checkReserve(fields)
}

function checkCost(fields: Fields, isQuota: boolean): void {
  const capacity = (isQuota ? undefined : fields['burst']) ?? fields['limit']
  const cost = fields['cost'] ?? 1
  if ((cost as number) <= (capacity as number)) return
  const which = fields['burst'] === undefined ? 'limit' : 'burst'
  fail(
    which === 'burst' ? 'HALT_E_BURST' : 'HALT_E_COST',
    `cost ${describe(cost)} is more than the ${which} of ${describe(capacity)}, so no request could ever pass.`,
    `Raise ${which} to at least the cost.`,
  )
}

/** Refuses a share for others that leaves less than a request costs, because no request could ever pass. */
function checkReserve({ headroom, burst, limit, cost = 1 }: Fields): void {
  if (typeof headroom !== 'number') return
  const capacity = (burst ?? limit) as number
  const left = capacity - unitsOfShare(headroom, capacity)
  if (left >= (cost as number)) return
  fail(
    'HALT_E_HEADROOM',
    `headroom ${headroom} leaves ${left} of ${capacity} units, and a request costs ${cost as number}, so none could ever pass.`,
    burst === undefined
      ? 'Give a smaller share, or a larger limit.'
      : 'Give a smaller share, or a larger burst.',
  )
}
