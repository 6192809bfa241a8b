import { writeFileSync, writeSync } from 'node:fs'
import type { Reporter, TestModule, Vitest } from 'vitest/node'

/** Prints `N passed, N failed, N skipped` as the last line of a test run, or writes it to `HALT_COUNT_FILE` if that is set. */
export default class CountReporter implements Reporter {
  #watching = false

  onInit(vitest: Vitest): void {
    this.#watching = vitest.config.watch
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const line = `${countTests(modules, errors.length)}\n`
    const file = process.env['HALT_COUNT_FILE']
    if (file) writeFileSync(file, line)
    else if (this.#watching) writeSync(1, line)
    else process.once('exit', () => writeSync(1, line))
  }
}

/** The line. Errors outside tests count as failures. */
function countTests(modules: readonly TestModule[], errors: number): string {
  const count = { passed: 0, failed: errors, skipped: 0 }
  for (const module of modules) {
    let failures = 0
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'pending') continue
      count[state]++
      if (state === 'failed') failures++
    }
    // A file that does not load, or whose hooks fail, has no failed test.
    if (failures === 0 && module.state() === 'failed') count.failed++
  }
  return `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`
}
