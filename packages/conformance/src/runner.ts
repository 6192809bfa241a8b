/** What the suites need of a test runner: Vitest's and Jest's own functions fit. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
  readonly expect: (value: unknown) => Matchers
}

/** What the suites need of `expect`. */
export interface Matchers {
  toBe(expected: unknown): unknown
  toEqual(expected: unknown): unknown
  toMatchObject(expected: object): unknown
  toMatch(expected: RegExp): unknown
  toBeLessThan(expected: number): unknown
}
