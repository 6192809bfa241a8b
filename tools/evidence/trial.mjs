// Puts one mutant into a copy at a time, and runs the tests that reach it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { regionAt, regionsOf } from './marks.mjs'

/** @typedef {import('./mutants-of.mjs').Mutant} Mutant */
/** @typedef {import('./reach.mjs').TestFile} TestFile */
/** @typedef {{ what: 'killed' | 'survived' | 'invalid' | 'unsure', by?: string }} Verdict */

/** Tries mutants of one folder. */
export class Trial {
  #copy
  #tests
  #parts
  /** What Vitest has transformed and is another now. @type {string[]} */
  #stale = []

  /** @param {import('./copy.mjs').Copy} copy @param {import('./tests.mjs').Tests} tests @param {readonly TestFile[][]} parts */
  constructor(copy, tests, parts) {
    this.#copy = copy
    this.#tests = tests
    this.#parts = parts
  }

  /**
   * Whether a test fails for a mutant. A failure must come again, because a busy machine makes some tests fail by their time.
   *
   * @param {Mutant} mutant
   * @returns {Promise<Verdict>} a mutant that does not compile is `invalid`, and one whose failure does not come again `unsure`; neither
   * is counted. `by` is the test that failed
   */
  async of(mutant) {
    const file = join(this.#copy.folder, mutant.file)
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.slice(0, mutant.from) + mutant.by + text.slice(mutant.to))
    const isScript = !mutant.file.endsWith('.ts')
    try {
      const compiles = isScript
        ? this.#copy.prints(mutant.file)
        : await this.#copy.compiles(mutant.file.split('/').slice(0, 2).join('/'))
      if (!compiles) return { what: 'invalid' }
      for (const part of this.#parts) {
        const files = isScript ? byTime(part) : reaching(part, mutant, text)
        if (files.length === 0) continue
        const first = await this.#run(files)
        if (first.by === undefined) continue
        // A script that the server does not take ends before the first test.
        if (isScript && first.passed === 0 && first.by === NOT_LOADED) return { what: 'invalid' }
        const again = await this.#run(first.files)
        return { what: again.by === undefined ? 'unsure' : 'killed', by: first.by }
      }
      return { what: 'survived' }
    } finally {
      writeFileSync(file, text)
      if (isScript) this.#copy.prints(mutant.file)
    }
  }

  /** Runs test files until one fails. @param {readonly TestFile[]} files */
  async #run(files) {
    const [{ project }] = /** @type {[TestFile]} */ (files)
    const changed = this.#copy.changed()
    const { folder } = this.#copy
    const paths = files.map(({ file }) => join(folder, file))
    const { results, errors, late } = await this.#tests.run(project, paths, {
      // A test that waits for ever must not hold up the night, and a busy machine is slow. The first file starts the process, too.
      longest: nth => (nth === 0 ? 40 : 15) + 5 * (files[nth]?.seconds ?? 0),
      changed: [...new Set([...changed, ...this.#stale])],
    })
    this.#stale = changed
    if (late !== undefined) {
      const own = /** @type {TestFile} */ (files[late] ?? files.at(-1))
      return { by: 'a test does not end', files: [own], passed: 0 }
    }
    const failed = results.filter(({ isFailed }) => isFailed)
    const own = files.filter(({ file }) => failed.some(result => result.file === join(folder, file)))
    const passed = results.reduce((sum, result) => sum + result.passed, 0)
    if (failed.length > 0) return { by: nameOf(failed), files: own.slice(0, 1), passed }
    return { by: errors > 0 ? 'an error that no test handles' : undefined, files, passed }
  }
}

const NOT_LOADED = 'the source cannot be loaded'

/** @param {readonly import('./tests.mjs').Result[]} failed */
function nameOf(failed) {
  return failed.flatMap(result => result.failed)[0] ?? NOT_LOADED
}

/**
 * The files that reach the region of a mutant: first those that test its folder, then the others, the shortest first. What runs while a
 * module is loaded is reached by none: then those that reach the source.
 *
 * @param {readonly TestFile[]} all
 * @param {Mutant} mutant
 * @param {string} text the source without the mutant
 */
function reaching(all, { file, from }, text) {
  const region = regionAt(regionsOf(text), from)
  const own = all.filter(({ regions }) => regions[file]?.includes(region))
  const found = own.length > 0 ? own : all.filter(({ regions }) => regions[file] !== undefined)
  const folder = `/${file.split('/').at(-2)}/`
  const isNear = (/** @type {TestFile} */ test) => test.file.includes(folder)
  const ordered = byTime(found)
  return [...ordered.filter(isNear), ...ordered.filter(test => !isNear(test))]
}

/** @param {readonly TestFile[]} files */
function byTime(files) {
  return files.toSorted((a, b) => a.seconds - b.seconds)
}
