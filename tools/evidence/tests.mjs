// Runs test files of a copy again and again in one process, which is ended when they take too long, and started again.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What the process is asked: the test files that there are, or to run some after sources have changed. `timeout` is the longest time of one
 * test, in milliseconds.
 * @typedef {{ list?: string[], project: string, files: string[], changed: string[], timeout: number }} Question
 */
/** What one file of tests gave.
 * @typedef {{ file: string, seconds: number, isFailed: boolean, failed: string[], passed: number }} Result
 */

/** The tests of some projects of a copy. */
export class Tests {
  #folder
  #how
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child
  #end = () => this.close()

  /** @param {string} folder @param {{ projects: string[], bail: number }} how */
  constructor(folder, how) {
    this.#folder = folder
    this.#how = how
  }

  /** The test files whose names have one of these parts. @param {string[]} parts @returns {Promise<string[]>} */
  async list(parts) {
    const { files } = await this.#ask({ list: parts, project: '', files: [], changed: [], timeout: 0 }, 120)
    return files
  }

  /**
   * Runs files in this order. Returns undefined if they did not end in time.
   *
   * @param {string} project
   * @param {string[]} files
   * @param {{ seconds: number, timeout?: number, changed?: string[] }} how the longest times of all, and of one test in milliseconds
   * @returns {Promise<{ results: Result[], errors: number } | undefined>} `errors` has those that no test handles
   */
  run(project, files, { seconds, timeout = 180_000, changed = [] }) {
    return this.#ask({ project, files, changed, timeout }, seconds)
  }

  /** Ends the process, and all that it has started: a worker in an endless loop does not end by itself. */
  close() {
    const child = this.#child
    this.#child = undefined
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
    process.off('exit', this.#end)
  }

  /** @param {Question} question @param {number} seconds @returns {Promise<any>} */
  async #ask(question, seconds) {
    this.#child ??= await this.#start()
    const child = this.#child
    const timer = new AbortController()
    const answer = once(child, 'message', { signal: timer.signal }).then(([message]) => message)
    const late = new Promise(resolve => {
      const timeout = setTimeout(resolve, seconds * 1000)
      timer.signal.addEventListener('abort', () => clearTimeout(timeout))
    })
    const ended = once(child, 'exit', { signal: timer.signal }).then(() => undefined)
    child.send(question)
    const first = await Promise.race([answer, late, ended].map(each => each.catch(() => undefined)))
    timer.abort()
    if (first === undefined) this.close()
    return first
  }

  async #start() {
    const script = fileURLToPath(new URL('test-host.mjs', import.meta.url))
    const child = fork(script, [JSON.stringify(this.#how)], {
      cwd: this.#folder,
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    process.on('exit', this.#end)
    await once(child, 'message')
    return child
  }
}
