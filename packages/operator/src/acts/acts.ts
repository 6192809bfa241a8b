import { accessActs } from './access.ts'
import type { Act, Acting, Done } from './act.ts'
import type { ActName } from './act-call.ts'
import { counterActs } from './counters.ts'
import { numberActs } from './numbers.ts'
import { warningsOf } from './warnings.ts'

const ACTS: Readonly<Record<ActName, Act>> = { ...accessActs, ...numberActs, ...counterActs }

/** The answer to a call for an act: what it would do, or what it did. */
export type ActAnswer =
  | { readonly done: false; readonly says: string; readonly warnings: readonly string[] }
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
  if (confirmed === true) return { done: true, ...(await chosen.perform(acting)) }
  return { done: false, says: chosen.says(acting), warnings: await warningsOf(acting, own) }
}
