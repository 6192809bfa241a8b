// A copy of the repository in a temporary folder, whose sources may be broken on purpose. It has what is not committed, and the packages
// that are installed here.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** What a run of tests gave.
 * @typedef {object} Run
 * @property {string[]} failed the names of the tests that failed
 * @property {string[]} failedFiles the files that they are in
 * @property {number} passed
 * @property {boolean} isLate whether it was ended before it had a result
 * @property {string} output the end of what was printed
 */

/** @param {string} folder @param {string[]} args @param {string} [input] */
const git = (folder, args, input) =>
  execFileSync('git', args, { cwd: folder, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })

/** A copy of the repository. */
export class Copy {
  /** Where the copy is. */
  folder = mkdtempSync(join(tmpdir(), 'halt-evidence-'))
  /** The name that Git gives to all files of the packages together. */
  tree
  /** The process that runs in it. @type {import('node:child_process').ChildProcess | undefined} */
  #child

  constructor() {
    // Whatever ends this process leaves no copy behind, and nothing that runs in it.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130))
    process.on('exit', () => this.#remove())
    git(root, ['worktree', 'add', '--detach', '--force', '--no-checkout', this.folder, 'HEAD'])
    // The index of the copy takes the files as they are here, those that Git does not know yet included. `restore` goes back to it.
    git(this.folder, [`--work-tree=${root}`, 'add', '--all'])
    this.tree = git(this.folder, ['write-tree', '--prefix=packages/']).trim()
    git(this.folder, ['checkout-index', '--all'])
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'))
    for (const parent of ['packages', 'apps'])
      for (const name of readdirSync(join(root, parent))) {
        const installed = join(root, parent, name, 'node_modules')
        // The links are relative. So in their copies the packages of the workspace are those of the copy.
        if (existsSync(installed) && existsSync(join(this.folder, parent, name)))
          cpSync(installed, join(this.folder, parent, name, 'node_modules'), {
            recursive: true,
            verbatimSymlinks: true,
          })
      }
  }

  /** Changes the sources, and prints what is made of them. @param {string} patch */
  apply(patch) {
    git(this.folder, ['apply', '--whitespace=nowarn', '--recount'], patch)
    for (const file of ['.lua', '.sql'])
      if (patch.includes(`${file}\n`) && !this.prints(file))
        throw new Error(`A broken ${file} is not printed.`)
  }

  /** Prints what is made of the scripts in Lua or SQL. Returns whether they could be read. @param {string} file */
  prints(file) {
    const script = file.endsWith('.lua') ? 'print-lua.mjs' : 'print-sql.mjs'
    try {
      execFileSync(process.execPath, [join('tools', script)], { cwd: this.folder, stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }

  /** The files that are changed now. */
  changed() {
    const names = git(this.folder, ['diff', '--name-only']).trim()
    return names === '' ? [] : names.split('\n').map(name => join(this.folder, name))
  }

  /** Undoes what was changed since the beginning. */
  restore() {
    git(this.folder, ['checkout', '--', 'packages', 'apps', 'tools'])
  }

  /**
   * Runs test files of one project.
   *
   * @param {string} project its folder
   * @param {string[]} files parts of their names; none means all
   * @param {{ seconds?: number, more?: string[] }} [how] the longest time, and options of Vitest
   * @returns {Promise<Run>}
   */
  async test(project, files, { seconds = 600, more = [] } = {}) {
    const report = join(this.folder, 'evidence.json.log')
    rmSync(report, { force: true })
    // A request that a broken source never answers must not hold up the night. The longest tests take half a minute on a busy machine.
    const limits = ['--testTimeout=90000', '--hookTimeout=60000']
    const { output, isLate } = await this.#run(
      ['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...limits, ...more, ...files].concat([
        '--reporter=json',
        `--outputFile=${report}`,
      ]),
      seconds,
    )
    if (isLate || !existsSync(report)) return { failed: [], failedFiles: [], passed: 0, isLate, output }
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
    /** @type {{ status: string, title: string }[]} */
    const all = testResults.flatMap((/** @type {any} */ { assertionResults }) => assertionResults)
    /** @type {{ status: string, name: string }[]} */
    const byFile = testResults
    return {
      failedFiles: byFile.filter(({ status }) => status === 'failed').map(({ name }) => name),
      failed: all.filter(({ status }) => status === 'failed').map(({ title }) => title),
      passed: all.filter(({ status }) => status === 'passed').length,
      isLate,
      output,
    }
  }

  /** Whether the compiler takes the sources of a package. @param {string} project */
  async compiles(project) {
    const { code } = await this.#run(
      // Other packages are read from their sources, because the copy has nothing that was built.
      ['node_modules/typescript/bin/tsc', '--noEmit', '-p', `${project}/tsconfig.build.json`].concat([
        '--customConditions',
        'halt-source',
        // The next call looks at what has changed alone.
        '--incremental',
        '--tsBuildInfoFile',
        join(this.folder, `${project.replaceAll('/', '-')}.tsbuildinfo`),
      ]),
      300,
    )
    return code === 0
  }

  /** Runs a script of Node in the copy, and ends all that it has started after a time. @param {string[]} args @param {number} seconds */
  async #run(args, seconds) {
    // A group of its own: a worker in an endless loop does not end with the process that started it.
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let [output, isLate] = ['', false]
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => void (output = (output + text).slice(-4000)))
    const timer = setTimeout(() => {
      isLate = true
      this.#endChild()
    }, seconds * 1000)
    const [code] = await once(child, 'close')
    clearTimeout(timer)
    this.#child = undefined
    return { code, output, isLate }
  }

  #endChild() {
    if (this.#child?.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
  }

  #remove() {
    this.#endChild()
    git(root, ['worktree', 'remove', '--force', this.folder])
    rmSync(this.folder, { recursive: true, force: true })
  }
}
