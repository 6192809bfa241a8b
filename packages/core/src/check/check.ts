import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Group } from '../store/contract.ts'

/** What a check asks: the group that the store sees, and the policies that people know. */
export interface Check extends Group {
  /** The policies that count the request; the first demands are theirs, in this order. */
  readonly policies: readonly CompiledPolicy[]
  /** What policies have beside their own demand, by place; undefined where none has anything, as nearly always. */
  readonly extras: readonly (ExtraDemands | undefined)[] | undefined
}

/** What a policy has beside its own demand. */
export interface ExtraDemands {
  /** Whether it is only reported for this key. */
  readonly shadow: boolean
  /** The place of the demand that all unverified keys of the address share; -1 when there is none. */
  readonly addressCeiling: number
  /** The place of the demand for a lease, where the cost is taken at the end; -1 when there is none. */
  readonly lease: number
  /** Units of its cost that guards before have charged: the demand asks for the rest, a retry pays all of it. What is held asks for all. */
  readonly paid: number
}

/** Whether a policy of a question is only reported. */
export function isShadowed({ extras }: Check, at: number): boolean {
  return extras !== undefined && extras[at]?.shadow === true
}
