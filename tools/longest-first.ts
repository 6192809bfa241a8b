import { createHash } from 'node:crypto'

import { BaseSequencer, type TestSpecification } from 'vitest/node'

// The tests that take longest, mostly asleep. Other files run at the same time.
const LONG = [
  // They have processes of their own. A shared process that ends its file while one of these comes next is stopped, and another one
  // loads all sources again.
  'apps/faults/',
  'packages/fetch/test/behaviour/next.test.ts',
  'packages/fetch/test/behaviour/sveltekit.test.ts',
  // It moves timers on by half an hour, and with them those that other files leave behind: a hundred times its own after many files.
  'packages/operator/test/watch.test.ts',
  // These are short. They collect garbage, which costs half a second each time once a process has run many files.
  'packages/core/test/limiter/store-users.test.ts',
  'packages/core/test/calls/forgotten.test.ts',
  'packages/core/test/base/',
  'packages/store-redis/test/behaviour/collection.test.ts',
  'packages/store-postgres/test/behaviour/',
  'packages/store-mysql/test/behaviour/',
  'packages/store-redis/test/behaviour/permissions.test.ts',
  'apps/demo-express/test/login-attacks.test.ts',
  'apps/demo-express/test/recipes.test.ts',
  'packages/store-durable-objects/test/behaviour/',
  'apps/demo-express/test/nine-in-the-evening.test.ts',
  'packages/operator/test/page.test.ts',
  'apps/site/test/playground/browser.test.ts',
  'apps/site/test/search/browser.test.ts',
  '/test/behaviour/runtimes.test.ts',
  'packages/store-memory/test/behaviour/bytes.test.ts',
  'packages/store-memory/test/cluster/workers.test.ts',
  'packages/store-sqlite/test/behaviour/',
  'packages/store-redis/test/behaviour/connection/cluster.test.ts',
  'packages/store-redis/test/behaviour/connection/',
  'apps/demo-',
  'apps/benchmarks/',
  'packages/store-redis/',
  'packages/core/test/resilience/',
  'packages/conformance/',
  'packages/nest/',
  'packages/fastify/',
  'packages/overload/test/simulation/',
]

/**
 * Sorts the test files that take longest first, so that a run does not end with one busy worker and the others idle. With
 * `HALT_ORDER`, any text, the order is another one for each text. It shows files that only pass after, or before, others.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = process.env['HALT_ORDER']
    if (order === undefined) return files.toSorted((a, b) => rank(a) - rank(b))
    const place = ({ moduleId }: TestSpecification): string =>
      createHash('sha256').update(`${order} ${moduleId}`).digest('hex')
    return files.toSorted((a, b) => (place(a) < place(b) ? -1 : 1))
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = LONG.findIndex(part => moduleId.includes(part))
  return place < 0 ? LONG.length : place
}
