import type { RateLimiter } from '@halt/core'
import type { Store } from '@halt/core/store'

/** A store whose server will fail, and the fault, as `playOutage` drives them. */
export interface Stage {
  readonly store: Store
  /** True if there is no server until the fault ends. */
  readonly fromStart: boolean
  /** The number of new subjects that the store must decide at once before it counts as back. */
  readonly keys: number
  /** Asks each server without Halt. Given if they answer all the time, because nothing may then be admitted beyond the limit. */
  readonly pings: readonly (() => Promise<unknown>)[] | undefined
  begin(limiter: RateLimiter): Promise<unknown>
  /** Ends the fault; recovery is measured from here. */
  end(): Promise<unknown>
  /** Checks what else must hold after the recovery. */
  verify(limiter: RateLimiter): Promise<Verified | undefined>
  /** The most units admitted beyond the limit; by default none for a known abuser, and one local share for a new one. */
  over(): { readonly known: number; readonly fresh: number } | undefined
  /** Ends the application and its servers. */
  close(): Promise<unknown>
}

/** A note for the row, and the bound that was missed. */
export interface Verified {
  readonly note: string
  readonly missed?: string | undefined
}
