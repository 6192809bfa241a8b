/** The functions of a test runner that the suites call. Those of Vitest and Jest fit. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
  readonly expect: (value: unknown) => Matchers
}

/** The matchers of `expect` that the suites call. */
export interface Matchers {
  toBe(expected: unknown): unknown
  toEqual(expected: unknown): unknown
  toMatchObject(expected: object): unknown
  toMatch(expected: RegExp): unknown
  toBeLessThan(expected: number): unknown
}
