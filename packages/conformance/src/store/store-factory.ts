import type { Store } from '@halt/core/store'

/** How a store is made for a test: on a clock that the test moves. */
export interface StoreFactory {
  /** What the store is called in test names. */
  readonly name: string
  /** Makes an empty store whose clock is `clock`, Unix milliseconds with fractions. */
  make(clock: () => number): Store | Promise<Store>
  /** Ends a store, where there is something to end. */
  end?(store: Store): void | Promise<void>
  /** Steps of the random histories; fewer for slow stores. Default 500. */
  readonly steps?: number
  /** How many random histories. Default 10. */
  readonly histories?: number
  /** Whether a group over several subjects is decided at one instant of one clock; not on a cluster. Default true. */
  readonly oneInstant?: boolean
  /** Whether concurrent calls are decided in order of arrival; not by optimistic stores. Default true. */
  readonly ordered?: boolean
}
