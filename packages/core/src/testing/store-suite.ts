import type { Store } from '../store/contract.ts'
import { boundsSuite } from './store/bounds.ts'
import { chargesSuite } from './store/charges.ts'
import { groupsSuite } from './store/groups.ts'
import { historySuite } from './store/history.ts'
import { limiterHistorySuite } from './store/limiter-history.ts'
import { quotasSuite } from './store/quotas.ts'
import type { Runner } from './runner.ts'

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

/**
 * The tests that every store passes, for a runner like vitest's or jest's.
 *
 * @example
 * import { describe, expect, it } from 'vitest'
 * storeSuite({ describe, it, expect }, { name: 'mine', make: clock => new MyStore({ clock }) })
 */
export function storeSuite(runner: Runner, factory: StoreFactory): void {
  runner.describe(`the store ${factory.name}`, () => {
    boundsSuite(runner, factory)
    chargesSuite(runner, factory)
    groupsSuite(runner, factory)
    quotasSuite(runner, factory)
    historySuite(runner, factory)
    limiterHistorySuite(runner, factory)
  })
}
