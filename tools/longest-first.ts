import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Those that take longest, mostly asleep: the others run beside them. The rest is cheap.
const LONG = [
  'apps/faults/test/faults.test.ts',
  'packages/store-redis/test/behaviour/permissions.test.ts',
  'apps/demo-express/test/recipes.test.ts',
  'apps/demo-kit/test/live-page.test.ts',
  'packages/store-redis/test/behaviour/connection/cluster.test.ts',
  'packages/store-redis/test/behaviour/connection/',
  'apps/demo-',
  'apps/benchmarks/',
  'packages/store-redis/',
  'packages/core/test/resilience/',
  'packages/conformance/',
  'packages/nest/',
]

/** Begins with the files that take longest, so that a run does not end with all but one worker idle. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a) - rank(b))
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = LONG.findIndex(part => moduleId.includes(part))
  return place < 0 ? LONG.length : place
}
