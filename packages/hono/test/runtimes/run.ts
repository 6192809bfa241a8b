import assert from 'node:assert/strict'
import { type AdapterUnderTest, adapterSuite, type Matchers, type Runner } from '@halt/conformance'

import { stores } from '../app.ts'

/** What became of the suite. */
export interface Report {
  readonly passed: number
  /** Names and errors. */
  readonly failed: readonly string[]
}

/** Runs the suite of all adapters without a test runner, for runtimes that have another one, or none; prints the report. */
export async function run(adapter: AdapterUnderTest): Promise<void> {
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

// Newer than the types of the Node that the workspace is checked for.
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
