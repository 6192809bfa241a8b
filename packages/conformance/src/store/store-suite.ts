import { testBounds } from './bounds.ts'
import { testBudgetHistory } from './budget-history.ts'
import { testCharges } from './charges.ts'
import { testDocuments } from './documents.ts'
import { testGroups } from './groups.ts'
import { testHolds } from './holds.ts'
import { testLargeNumbers } from './large-numbers.ts'
import { testHistory } from './history.ts'
import { testLineHistory } from './line-history.ts'
import { testLimiterHistory } from './limiter-history.ts'
import { testMarks } from './marks.ts'
import { testBlocks } from './blocks.ts'
import { testPlaces } from './places.ts'
import { testSharing } from './sharing.ts'
import { testQuotas } from './quotas.ts'
import { testTerms } from './terms.ts'
import type { StoreFactory } from './store-factory.ts'
import type { Runner } from '../runner.ts'

/**
 * Runs the tests that every store must pass.
 *
 * @param runner the functions of Vitest, Jest or the like
 *
 * @example
 * import { describe, expect, it } from 'vitest'
 * storeSuite({ describe, it, expect }, { name: 'mine', make: clock => new MyStore({ clock }) })
 */
export function storeSuite(runner: Runner, factory: StoreFactory): void {
  runner.describe(`the store ${factory.name}`, () => {
    testBounds(runner, factory)
    testCharges(runner, factory)
    testGroups(runner, factory)
    testQuotas(runner, factory)
    testDocuments(runner, factory)
    testMarks(runner, factory)
    testSharing(runner, factory)
    testPlaces(runner, factory)
    testBlocks(runner, factory)
    testTerms(runner, factory)
    testLargeNumbers(runner, factory)
    testHolds(runner, factory)
    testHistory(runner, factory)
    testLineHistory(runner, factory)
    testLimiterHistory(runner, factory)
    testBudgetHistory(runner, factory)
  })
}
