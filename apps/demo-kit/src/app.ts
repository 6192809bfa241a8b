import type { RateLimiterOptions } from '@halt/core'

import type { Accounts } from './accounts.ts'
import type { Operator } from './operator.ts'

/** The options of a demo app. */
export interface AppOptions {
  /** The store of the counters. */
  readonly store: RateLimiterOptions['store']
  /** The longest time that a request waits for the store. Default 100 ms. */
  readonly storeTimeout?: RateLimiterOptions['storeTimeout']
  /** The users. */
  readonly accounts: Accounts
  /** The operator: the page, metrics, and explanations. Default: none. */
  readonly operator?: Operator | undefined
}

/** A running app. */
export interface Listening {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Starts an app; port 0 is a free one, on this machine only. */
export type Start<L extends Listening = Listening> = (options: AppOptions, port: number) => Promise<L>
