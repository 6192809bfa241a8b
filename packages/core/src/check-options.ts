import type { AnyPolicy } from './compiled-policy.ts'
import { type Cost, checkCost, type WHOLE_LIMIT } from './cost.ts'
import { describe } from './duration.ts'
import { HaltError } from './errors.ts'

/** Options of one check. */
export interface CheckOptions<R = unknown> {
  /** Units: a number for every policy, or by policy name. Default each policy's own. */
  readonly cost?: Cost | typeof WHOLE_LIMIT | undefined
  /** Decides instead of the limiter's policies. */
  readonly policy?: AnyPolicy<R> | readonly AnyPolicy<R>[] | undefined
  /** Decides beside them, all charged or none. */
  readonly also?: AnyPolicy<R> | readonly AnyPolicy<R>[] | undefined
  /** The client's address, where the caller knows better. */
  readonly ip?: string | undefined
  /** The same key is charged once. */
  readonly idempotencyKey?: string | undefined
  /** Decides by `onStoreError` at once: the store has failed this request already, which waits for it only once. */
  readonly storeFailed?: boolean | undefined
}

/** Options of a look that charges nothing. */
export type PeekOptions<R = unknown> = Pick<CheckOptions<R>, 'policy' | 'also' | 'ip'>

/**
 * Checks what a call says, whatever the request.
 *
 * @throws HaltError `HALT_E_COST`, `HALT_E_OPTION`
 */
export function checkCall({ cost, idempotencyKey }: CheckOptions<never>): void {
  checkCost(cost)
  if (idempotencyKey === undefined || typeof idempotencyKey === 'string') return
  throw new HaltError(
    'HALT_E_OPTION',
    `idempotencyKey is ${describe(idempotencyKey)}.`,
    'Give a text, or leave it out.',
  )
}
