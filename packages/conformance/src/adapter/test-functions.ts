import type { Runner } from '../runner.ts'
import { Bench } from './bench.ts'
import type { AdapterUnderTest, StoreUnderTest } from './contract.ts'

/** The functions with which each part of the suite writes its tests. */
export interface TestFunctions {
  readonly adapter: AdapterUnderTest
  readonly expect: Runner['expect']
  readonly describe: (name: string, body: () => void) => void
  readonly it: (name: string, body: (bench: Bench) => Promise<void>) => void
}

/** Binds a runner's functions to an adapter and a store. */
export function testFunctions(
  { describe, it, expect }: Runner,
  adapter: AdapterUnderTest,
  store: StoreUnderTest,
): TestFunctions {
  return {
    adapter,
    expect,
    describe: (name, body) => void describe(name, body),
    it: (name, body) => void it(name, () => Bench.run(adapter, store, body)),
  }
}
