import assert from 'node:assert/strict'

import type { Matchers, Runner } from '../src/index.ts'

/** Collects the tests of a suite by their full names, for runtimes without vitest. */
export function collectTests(suite: (runner: Runner) => void): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>()
  const path: string[] = []
  suite({
    describe(name, body) {
      path.push(name)
      body()
      path.pop()
    },
    it: (name, body) => tests.set([...path, name].join(' > '), body),
    expect,
  })
  return tests
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
