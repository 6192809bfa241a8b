import { testAnswers } from './adapter/answers.ts'
import { testCallbacks } from './adapter/callbacks.ts'
import { testCallers } from './adapter/callers.ts'
import { testConcurrency } from './adapter/concurrency.ts'
import { testConnections } from './adapter/connections.ts'
import type { AdapterUnderTest, StoreUnderTest } from './adapter/contract.ts'
import { testCosts } from './adapter/costs.ts'
import { testFaults } from './adapter/faults.ts'
import { testOddValues } from './adapter/odd-values.ts'
import { testProtocol } from './adapter/protocol.ts'
import { testRoutes } from './adapter/routes.ts'
import { testStacking } from './adapter/stacking.ts'
import { suiteFor } from './adapter/suite.ts'
import { testUnread } from './adapter/unread.ts'
import type { Runner } from './runner.ts'

/**
 * The tests that every adapter must pass: real requests to a real server, on each of some stores.
 *
 * @param runner the functions of a test runner: Vitest's, Jest's
 * @param adapter how the adapter under test is driven
 * @param stores at least one that is synchronous and one that is not
 * @example
 * import { adapterSuite } from '@halt/core/testing'
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
      const suite = suiteFor(runner, adapter, store)
      testAnswers(suite)
      testCallbacks(suite)
      testCosts(suite)
      testStacking(suite)
      testProtocol(suite)
      testCallers(suite)
      testRoutes(suite)
      testConnections(suite)
      testConcurrency(suite)
      testUnread(suite)
      testOddValues(suite)
      testFaults(suite)
    })
  }
}
