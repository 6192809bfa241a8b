// npm run mutants -- lease: changes one place of the sources at a time, in a copy, and sees whether a test fails. Prints those that none noticed.
//   lease waiting …   the folders, of tools/evidence/areas.mjs; all if none is named
//   --count 20        so many mutants of each folder, drawn by --seed 1
//   --minutes 30      ends after this time
//   --least 80        fails if fewer percent of all are killed
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { areas } from './evidence/areas.mjs'
import { Copy } from './evidence/copy.mjs'
import { mutantsIn } from './evidence/mutants-of-scripts.mjs'
import { shuffled } from './evidence/shuffled.mjs'

/** @typedef {import('./evidence/mutants-of.mjs').Mutant} Mutant */
/** @typedef {import('./evidence/areas.mjs').Area} Area */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '30' },
    least: { type: 'string', default: '0' },
  },
})
const ends = performance.now() + Number(values.minutes) * 60_000
const chosen = positionals.length === 0 ? Object.keys(areas) : positionals
const unknown = chosen.filter(name => !(name in areas))
if (unknown.length > 0) {
  console.error(`No such folder: ${unknown.join(', ')}. There are ${Object.keys(areas).join(', ')}.`)
  process.exit(1)
}

const copy = new Copy()
const total = { killed: 0, tried: 0 }
for (const name of chosen) await sample(name, /** @type {Area} */ (areas[name]))
if (total.tried === 0 || total.killed < (total.tried * Number(values.least)) / 100) {
  console.error(`${total.killed} of ${total.tried} mutants were killed.`)
  process.exitCode = 1
}

/** Tries a sample of the mutants of a folder. @param {string} name @param {Area} area */
async function sample(name, area) {
  const all = filesOf(area.sources).flatMap(file =>
    mutantsIn(file, readFileSync(join(copy.folder, file), 'utf8')),
  )
  /** The longest time of each part of the tests, in seconds: a multiple of what they take as they are. @type {number[]} */
  const limits = []
  for (const { project, files } of area.tests) {
    const began = performance.now()
    const { failed, passed } = await copy.test(project, files)
    limits.push(120 + (3 * (performance.now() - began)) / 1000)
    if (failed.length === 0 && passed > 0) continue
    console.error(`${name}: the tests of ${project} fail by themselves: ${failed.join('; ')}`)
    process.exitCode = 1
    return
  }
  let [killed, survived] = [0, 0]
  for (const mutant of shuffled(all, Number(values.seed)).slice(0, Number(values.count))) {
    if (performance.now() > ends) break
    const { what, by = '' } = await outcome(area, mutant, limits)
    if (what === 'killed') killed++
    if (what === 'survived') survived++
    console.log(
      `${what.padEnd(9)} ${mutant.file}:${mutant.line} ${mutant.kind}: ${mutant.before} → ${mutant.after}`,
    )
    if (by !== '') console.log(`          by: ${by}`)
  }
  const tried = killed + survived
  total.killed += killed
  total.tried += tried
  console.log(`${name}: ${killed} of ${tried} killed, drawn from ${all.length} by seed ${values.seed}\n`)
}

/**
 * Runs the tests of a folder against a mutant, the nearest first. A failure must come again, because a busy machine makes some tests
 * fail by their time.
 *
 * @param {Area} area
 * @param {Mutant} mutant
 * @param {readonly number[]} limits seconds
 * @returns {Promise<{ what: 'killed' | 'survived' | 'invalid' | 'unsure', by?: string }>} a mutant that does not compile is `invalid`,
 * and one whose failure does not come again `unsure`; neither is counted. `by` is the test that failed
 */
async function outcome(area, mutant, limits) {
  const file = join(copy.folder, mutant.file)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.slice(0, mutant.from) + mutant.by + text.slice(mutant.to))
  try {
    const compiles = mutant.file.endsWith('.ts')
      ? await copy.compiles(mutant.file.split('/').slice(0, 2).join('/'))
      : copy.prints(mutant.file)
    if (!compiles) return { what: 'invalid' }
    for (const [part, { project, files }] of area.tests.entries()) {
      const seconds = /** @type {number} */ (limits[part])
      const first = await copy.test(project, files, { seconds, more: ['--bail=1'] })
      if (first.isLate) return { what: 'killed', by: 'the tests do not end' }
      // A source that cannot be loaded fails each test file before its first test.
      if (first.failed.length === 0 && first.passed > 0) continue
      // A script that the server does not take ends before the first test.
      if (!mutant.file.endsWith('.ts') && first.failed.length === 0) return { what: 'invalid' }
      const own = first.failedFiles.slice(0, 1)
      const again = await copy.test(project, own, { seconds, more: ['--bail=1'] })
      const isSame = again.isLate || again.failed.length > 0 || again.passed === 0
      return { what: isSame ? 'killed' : 'unsure', by: first.failed[0] ?? 'the source cannot be loaded' }
    }
    return { what: 'survived' }
  } finally {
    writeFileSync(file, text)
    if (!mutant.file.endsWith('.ts')) copy.prints(mutant.file)
  }
}

/** The sources in a folder. @param {string} folder */
function filesOf(folder) {
  const names = readdirSync(join(copy.folder, folder), { recursive: true, encoding: 'utf8' })
  return names
    .filter(name => /\.(?:ts|lua|sql)$/.test(name))
    .sort()
    .map(name => join(folder, name))
}
