// Runs test files of a copy again and again in one process, which is ended when they take too long, and started again.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What the process is asked: the test files that there are, or to run some after sources have changed.
 * @typedef {{ list?: string[], project: string, files: string[], changed: string[] }} Question
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
    const { answer } = await this.#ask({ list: parts, project: '', files: [], changed: [] }, () => 120)
    return answer.files
  }

  /**
   * Runs files in this order. Each has its own longest time: a test that waits for ever ends with it, and all that would have followed.
   *
   * @param {string} project
   * @param {string[]} files
   * @param {{ longest: (nth: number) => number, changed?: string[] }} how the longest time of a file in seconds
   * @returns {Promise<{ results: Result[], errors: number, late: number | undefined }>} `errors` has those that no test handles, and
   * `late` is the place of the file that did not end
   */
  async run(project, files, { longest, changed = [] }) {
    const { answer, ended } = await this.#ask({ project, files, changed }, longest)
    return { results: [], errors: 0, ...answer, late: answer === undefined ? ended : undefined }
  }

  /** Ends the process, and all that it has started: a worker in an endless loop does not end by itself. */
  close() {
    const child = this.#child
    this.#child = undefined
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
    process.off('exit', this.#end)
  }

  /**
   * @param {Question} question
   * @param {(nth: number) => number} longest
   * @returns {Promise<{ answer: any, ended: number }>} no answer if it did not come in time; `ended` is the number of files that did
   */
  async #ask(question, longest) {
    const child = (this.#child ??= await this.#start())
    child.send(question)
    for (let ended = 0; ; ended++) {
      const answer = await nextMessage(child, longest(ended))
      if (answer === undefined) this.close()
      if (answer?.hasEnded !== true) return { answer, ended }
    }
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

/** The next message of a process; undefined if none comes in time, or if the process ends. @param {import('node:child_process').ChildProcess} child @param {number} seconds @returns {Promise<any>} */
function nextMessage(child, seconds) {
  return new Promise(resolve => {
    /** @param {unknown} [message] */
    const end = message => {
      clearTimeout(timer)
      child.off('message', end).off('exit', isOver)
      resolve(message)
    }
    const isOver = () => end()
    const timer = setTimeout(isOver, seconds * 1000)
    child.on('message', end).on('exit', isOver)
  })
}
