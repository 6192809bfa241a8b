import { writeSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

const SILENCE_MS = 180_000

/** Says which tests run, once no test has ended for three minutes. Else nobody could tell why a run does not end. */
export default class SilenceReporter implements Reporter {
  readonly #modules = new Set<TestModule>()
  readonly #tests = new Set<TestCase>()
  #timer: NodeJS.Timeout | undefined

  onTestRunStart(): void {
    this.#wait()
  }

  onTestModuleStart(module: TestModule): void {
    this.#modules.add(module)
  }

  onTestCaseReady(test: TestCase): void {
    this.#tests.add(test)
  }

  onTestCaseResult(test: TestCase): void {
    this.#tests.delete(test)
    this.#wait()
  }

  onTestModuleEnd(module: TestModule): void {
    this.#modules.delete(module)
    this.#wait()
  }

  onTestRunEnd(): void {
    clearTimeout(this.#timer)
  }

  #wait(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const lines = [
        ...[...this.#modules].map(({ relativeModuleId }) => relativeModuleId),
        ...[...this.#tests].map(({ module, fullName }) => `${module.relativeModuleId} > ${fullName}`),
      ]
      writeSync(
        2,
        `No test has ended for ${SILENCE_MS / 60_000} minutes. These run:\n  ${lines.join('\n  ')}\n`,
      )
      this.#wait()
    }, SILENCE_MS).unref()
  }
}
