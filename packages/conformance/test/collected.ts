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

function expect(value: unknown): Matchers {
  return {
    toBe: expected => assert.equal(value, expected),
    toEqual: expected => assert.deepEqual(value, expected),
    toMatchObject: expected => assert.deepEqual(partOf(value, expected), expected),
    toMatch: expected => assert.match(value as string, expected),
    toBeLessThan: expected =>
      assert.ok((value as number) < expected, `${String(value)} is not below ${expected}`),
  }
}

/** The part of a value that an expected object names. */
function partOf(value: unknown, expected: unknown): unknown {
  const isPlain = typeof expected === 'object' && expected !== null && !Array.isArray(expected)
  if (!isPlain || typeof value !== 'object' || value === null) return value
  const fields = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(expected).flatMap(([name, inner]) =>
      name in fields ? [[name, partOf(fields[name], inner)]] : [],
    ),
  )
}
