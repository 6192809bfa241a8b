import { type AdapterUnderTest, adapterSuite, type StoreUnderTest } from '../src/index.ts'
import { collectTests } from './collected.ts'

/** The results of the suite. */
interface Report {
  readonly passed: number
  /** Names and errors of failed tests. */
  readonly failed: readonly string[]
}

/** Runs the suite of all adapters without vitest, for runtimes that do not have it, and prints the report. */
export async function runSuite(adapter: AdapterUnderTest, stores: readonly StoreUnderTest[]): Promise<void> {
  await printReport(collectTests(runner => adapterSuite(runner, adapter, stores)))
}

/** Runs tests one after the other, and prints the report. */
export async function printReport(tests: ReadonlyMap<string, () => Promise<void>>): Promise<void> {
  const failed: string[] = []
  for (const [name, body] of tests) {
    try {
      await body()
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const report: Report = { passed: tests.size - failed.length, failed }
  console.log(JSON.stringify(report))
}
