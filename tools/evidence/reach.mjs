// Which test files reach which regions of the sources, and how long each takes. Found once for each state of the repository.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './copy.mjs'
import { marked, regionsOf } from './marks.mjs'
import { Tests } from './tests.mjs'

/** @typedef {import('./copy.mjs').Copy} Copy */
/** What is known of one test file. `regions` has, by the name of a source, the numbers of the regions that it reaches.
 * @typedef {{ file: string, project: string, seconds: number, regions: Record<string, number[]> }} TestFile
 */
/** @typedef {{ project: string, files: string[] }} Part */

/** The sources that have marks, in these folders. */
const SOURCES = ['core', 'control', 'overload', 'client'].map(name => `packages/${name}/src`)

/** The test files of a part of the tests that pass as they are. @param {Copy} copy @param {Part} part @returns {Promise<TestFile[]>} */
export async function reachOf(copy, part) {
  const folder = join(root, 'node_modules/.cache/halt-mutants')
  const name = createHash('sha256')
    .update(JSON.stringify([copy.tree, part]))
    .digest('hex')
  const cached = join(folder, `${name.slice(0, 16)}.json`)
  if (existsSync(cached)) return JSON.parse(readFileSync(cached, 'utf8'))
  const found = await collect(copy, part)
  mkdirSync(folder, { recursive: true })
  writeFileSync(cached, JSON.stringify(found))
  return found
}

/** @param {Copy} copy @param {Part} part @returns {Promise<TestFile[]>} */
async function collect(copy, { project, files }) {
  const answers = mkdtempSync(join(tmpdir(), 'halt-reach-'))
  const sources = mark(copy, answers)
  const tests = new Tests(copy.folder, { projects: [project], bail: 0 })
  try {
    const all = await tests.list(files)
    const { results, late } = await tests.run(project, all, { longest: () => 600 })
    if (late !== undefined) throw new Error(`It does not end by itself: ${all[late]}`)
    tests.close()
    copy.restore()
    // Tests that read the sources fail for the marks.
    const doubtful = results.filter(({ isFailed }) => isFailed).map(({ file }) => file)
    const again =
      doubtful.length === 0 ? undefined : await tests.run(project, doubtful, { longest: () => 600 })
    const broken = new Set(again?.results.filter(({ isFailed }) => isFailed).map(({ file }) => file))
    for (const file of broken) console.error(`It fails by itself, and is left out: ${file}`)
    const reached = new Map(
      readdirSync(answers).map(name => {
        const { testPath, reached } = JSON.parse(readFileSync(join(answers, name), 'utf8'))
        return [testPath, new Set(reached)]
      }),
    )
    return results.flatMap(({ file, seconds }) => {
      if (broken.has(file)) return []
      return [
        {
          file: file.slice(copy.folder.length + 1),
          project,
          seconds,
          regions: bySource(sources, reached.get(file) ?? new Set()),
        },
      ]
    })
  } finally {
    tests.close()
    copy.restore()
    rmSync(answers, { recursive: true, force: true })
  }
}

/** Marks the sources of a copy. Returns where the marks of each begin. @param {Copy} copy @param {string} answers */
function mark(copy, answers) {
  /** @type {{ source: string, first: number }[]} */
  const sources = []
  let first = 0
  for (const folder of SOURCES)
    for (const name of readdirSync(join(copy.folder, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue
      const source = join(folder, name)
      const text = readFileSync(join(copy.folder, source), 'utf8')
      writeFileSync(join(copy.folder, source), marked(text, first))
      sources.push({ source, first })
      first += regionsOf(text).length
    }
  const setup = join(copy.folder, 'tools/shared-process.ts')
  const record = `import { record } from './evidence/record.mjs'\n`
  writeFileSync(setup, `${record}${readFileSync(setup, 'utf8')}\nrecord(${JSON.stringify(answers)})\n`)
  return sources
}

/** @param {readonly { source: string, first: number }[]} sources @param {Set<number>} marks */
function bySource(sources, marks) {
  /** @type {Record<string, number[]>} */
  const regions = {}
  for (const mark of [...marks].sort((a, b) => a - b)) {
    const { source, first } = /** @type {{ source: string, first: number }} */ (
      sources.findLast(each => each.first <= mark)
    )
    ;(regions[source] ??= []).push(mark - first)
  }
  return regions
}
