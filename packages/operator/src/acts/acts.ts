import { accessActs } from './access.ts'
import type { Act, Acting, Done } from './act.ts'
import type { ActName } from './act-call.ts'
import { HERE_ALONE, offerHere } from './away.ts'
import { counterActs } from './counters.ts'
import { numberActs } from './numbers.ts'
import { pauseActs } from './pauses.ts'
import { needsForce, warningsOf } from './warnings.ts'

const ACTS: Readonly<Record<ActName, Act>> = { ...accessActs, ...numberActs, ...counterActs, ...pauseActs }

/** The answer to a call for an act: what it would do, or what it did. */
export type ActAnswer =
  | {
      readonly done: false
      readonly says: string
      readonly warnings: readonly string[]
      /** Whether the call needs `force`, because the network is larger than those of one owner. */
      readonly needsForce: boolean
      /** `"process"` if the store is away, so that the act would hold in this process alone. */
      readonly scope: 'process' | undefined
    }
  | ({ readonly done: true } & Done)

/**
 * Tells what an act will do or, once it is confirmed, carries it out.
 *
 * @param own the operator's own address, if it is known
 * @throws HaltError `HALT_E_OPERATOR`, and the codes of `Control` and the managers
 */
export async function act(acting: Acting, own: string | undefined): Promise<ActAnswer> {
  const { act: name, confirmed } = acting.call
  const chosen = ACTS[name]
  if (confirmed === true) {
    const { says, ...rest } = await chosen.perform(acting)
    return { done: true, says: rest.scope === 'process' ? `${says} ${HERE_ALONE}` : says, ...rest }
  }
  const here = offerHere(acting)
  return {
    done: false,
    says: chosen.says(acting),
    warnings: [...here, ...(await warningsOf(acting, own))],
    needsForce: needsForce(acting),
    scope: here.length > 0 ? 'process' : undefined,
  }
}
