// A copy of the last commit in a temporary folder, whose sources may be broken on purpose. It has the packages that are installed here.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** What a run of tests gave.
 * @typedef {object} Run
 * @property {string[]} failed the names of the tests that failed
 * @property {number} passed
 * @property {string} output for a run without any result
 */

/** @param {string} folder @param {string[]} args @param {string} [input] */
const git = (folder, args, input) =>
  execFileSync('git', args, { cwd: folder, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })

/** A copy of the repository. */
export class Copy {
  /** Where the copy is. */
  folder = mkdtempSync(join(tmpdir(), 'halt-evidence-'))

  constructor() {
    git(root, ['worktree', 'add', '--detach', '--force', this.folder, 'HEAD'])
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

  /** Brings what is not committed here into the copy, so that a patch can be tried before it is committed. */
  takeChanges() {
    const changes = git(root, ['diff', 'HEAD', '--binary'])
    if (changes !== '') git(this.folder, ['apply', '--whitespace=nowarn'], changes)
    git(this.folder, ['add', '--all', '--', '.', ':!node_modules', ':!*/node_modules'])
  }

  /** Changes the sources, and prints what is made of them. @param {string} patch */
  apply(patch) {
    git(this.folder, ['apply', '--whitespace=nowarn', '--recount'], patch)
    if (patch.includes('.lua\n')) this.#print('print-lua.mjs')
    if (patch.includes('.sql\n')) this.#print('print-sql.mjs')
  }

  /** @param {string} script */
  #print(script) {
    execFileSync(process.execPath, [join('tools', script)], { cwd: this.folder })
  }

  /** Undoes what was changed since the beginning. */
  restore() {
    git(this.folder, ['checkout', '--', 'packages', 'apps'])
  }

  /**
   * Runs test files of one project.
   *
   * @param {string} project its folder
   * @param {string[]} files parts of their names; none means all
   * @param {{ seconds?: number, more?: string[] }} [how] the longest time, and options of Vitest
   * @returns {Run & { isLate: boolean }}
   */
  test(project, files, { seconds = 600, more = [] } = {}) {
    const report = join(this.folder, 'evidence.json.log')
    rmSync(report, { force: true })
    // A request that a broken source never answers must not hold up the night.
    const limits = ['--testTimeout=40000', '--hookTimeout=60000']
    const args = [
      'run',
      '--project',
      project,
      '--reporter=json',
      `--outputFile=${report}`,
      ...limits,
      ...more,
      ...files,
    ]
    const { stdout, stderr, signal } = spawnSync(
      process.execPath,
      [join(this.folder, 'node_modules/vitest/vitest.mjs'), ...args],
      { cwd: this.folder, encoding: 'utf8', timeout: seconds * 1000, killSignal: 'SIGTERM' },
    )
    const isLate = signal !== null
    if (isLate || !existsSync(report)) return { failed: [], passed: 0, isLate, output: stdout + stderr }
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
    /** @type {{ status: string, title: string }[]} */
    const all = testResults.flatMap((/** @type {any} */ { assertionResults }) => assertionResults)
    return {
      failed: all.filter(({ status }) => status === 'failed').map(({ title }) => title),
      passed: all.filter(({ status }) => status === 'passed').length,
      isLate,
      output: stdout + stderr,
    }
  }

  remove() {
    git(root, ['worktree', 'remove', '--force', this.folder])
    rmSync(this.folder, { recursive: true, force: true })
  }
}
