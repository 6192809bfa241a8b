import { testAnswers } from './answers.ts'
import { testCallbacks } from './callbacks.ts'
import { testCallers } from './callers.ts'
import { testClosing } from './closing.ts'
import { testConcurrency } from './concurrency.ts'
import { testConnections } from './connections.ts'
import type { AdapterUnderTest, StoreUnderTest } from './contract.ts'
import { testCosts } from './costs.ts'
import { testDelayedCharges } from './delayed-charges.ts'
import { testDelays } from './delays.ts'
import { testFaults } from './faults.ts'
import { testHistories } from './histories.ts'
import { testOddValues } from './odd-values.ts'
import { testProtocol } from './protocol.ts'
import { testRoutes } from './routes.ts'
import { testStacking } from './stacking.ts'
import { testFunctions } from './test-functions.ts'
import { testUnread } from './unread.ts'
import type { Runner } from '../runner.ts'

/**
 * Runs the tests that every adapter must pass: real requests to a real server, on each store.
 *
 * @param runner the functions of Vitest, Jest or the like
 * @param adapter drives the adapter under test
 * @param stores at least one that answers at once and one that answers later
 * @example
 * import { adapterSuite } from '@halt/conformance'
 * import { describe, expect, it } from 'vitest'
 * adapterSuite({ describe, expect, it }, adapter, [{ name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) }])
 */
export function adapterSuite(
  runner: Runner,
  adapter: AdapterUnderTest,
  stores: readonly StoreUnderTest[],
): void {
  for (const store of stores) {
    runner.describe(`${adapter.name} on ${store.name}`, () => {
      const functions = testFunctions(runner, adapter, store)
      testAnswers(functions)
      testCallbacks(functions)
      testCosts(functions)
      testStacking(functions)
      testProtocol(functions)
      testCallers(functions)
      testRoutes(functions)
      testConnections(functions)
      testConcurrency(functions)
      testClosing(functions)
      testUnread(functions)
      testOddValues(functions)
      testDelays(functions)
      testDelayedCharges(functions)
      testFaults(functions)
      testHistories(functions)
    })
  }
}
