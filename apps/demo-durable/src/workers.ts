import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { Place } from './quota.ts'

/** A process that makes exports, and how many it has told. */
export class Worker {
  exports = 0
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>

  /** @param script default: the built script beside this file */
  constructor(place: Place, script: string = fileURLToPath(new URL('export-process.js', import.meta.url))) {
    const driver = createRequire(import.meta.url).resolve('better-sqlite3')
    // A warning of the memory store belongs to this show.
    this.#process = spawn(process.execPath, ['--no-warnings', script, JSON.stringify(place), driver], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#process.stdout?.on('data', (bytes: Buffer) => void (this.exports += bytes.length))
    this.#ended = once(this.#process, 'close')
  }

  /** Kills the process without warning after some exports, if it has not ended. Resolves to the exports that it has told. */
  async killAfter(exports: number): Promise<number> {
    while (this.exports < exports && this.#process.exitCode === null) await sleep(5)
    this.#process.kill('SIGKILL')
    return this.end()
  }

  /** Resolves to the exports when the process has ended. */
  async end(): Promise<number> {
    await this.#ended
    return this.exports
  }
}
