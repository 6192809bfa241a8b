import type { RateLimiterOptions } from '@halt/core'

import type { Accounts } from './accounts.ts'
import type { Operator } from './operator.ts'

/** What a demo app does not choose itself. */
export interface AppOptions {
  /** Where the counters are. */
  readonly store: RateLimiterOptions['store']
  /** The longest that a request waits for it. Default 100 ms. */
  readonly storeTimeout?: RateLimiterOptions['storeTimeout']
  /** Who the users are. */
  readonly accounts: Accounts
  /** What its operator may see: the live page, and why a request is refused. Default nothing. */
  readonly operator?: Operator | undefined
}

/** A running app. */
export interface Listening {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Starts an app; port 0 is a free one, on this machine only. */
export type Start<L extends Listening = Listening> = (options: AppOptions, port: number) => Promise<L>
