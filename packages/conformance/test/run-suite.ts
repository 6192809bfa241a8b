import assert from 'node:assert/strict'

import {
  type AdapterUnderTest,
  adapterSuite,
  type Matchers,
  type Runner,
  type StoreUnderTest,
} from '../src/index.ts'

/** The results of the suite. */
interface Report {
  readonly passed: number
  /** Names and errors of failed tests. */
  readonly failed: readonly string[]
}

/** Runs the suite of all adapters without vitest, for runtimes that do not have it, and prints the report. */
export async function runSuite(adapter: AdapterUnderTest, stores: readonly StoreUnderTest[]): Promise<void> {
  const tests: { name: string; body: () => Promise<void> }[] = []
  const path: string[] = []
  const runner: Runner = {
    describe(name, body) {
      path.push(name)
      body()
      path.pop()
    },
    it: (name, body) => tests.push({ name: [...path, name].join(' > '), body }),
    expect,
  }
  adapterSuite(runner, adapter, stores)
  const failed: string[] = []
  for (const { name, body } of tests) {
    try {
      await body()
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const report: Report = { passed: tests.length - failed.length, failed }
  console.log(JSON.stringify(report))
}

// The types of the supported Node do not have it.
const { partialDeepStrictEqual } = assert as unknown as {
  partialDeepStrictEqual(actual: unknown, expected: object): void
}

function expect(value: unknown): Matchers {
  return {
    toBe: expected => assert.equal(value, expected),
    toEqual: expected => assert.deepEqual(value, expected),
    toMatchObject: expected => partialDeepStrictEqual(value, expected),
    toMatch: expected => assert.match(value as string, expected),
    toBeLessThan: expected =>
      assert.ok((value as number) < expected, `${String(value)} is not below ${expected}`),
  }
}
