// npm run mutants -- lease: changes one place of the sources at a time, in a copy, and sees whether a test fails. Prints those that none noticed.
//   lease waiting …   the folders, of tools/evidence/areas.mjs; all if none is named
//   --count 20        so many mutants of each folder, drawn by --seed 1
//   --minutes 30      ends after this time
//   --at leases.ts:40 only those of this file, or of this line
//   --least 80        fails if fewer percent of all are killed
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { areas } from './evidence/areas.mjs'
import { Copy } from './evidence/copy.mjs'
import { mutantsIn } from './evidence/mutants-of-scripts.mjs'
import { reachOf } from './evidence/reach.mjs'
import { shuffled } from './evidence/shuffled.mjs'
import { Tests } from './evidence/tests.mjs'
import { Trial } from './evidence/trial.mjs'

/** @typedef {import('./evidence/areas.mjs').Area} Area */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '30' },
    at: { type: 'string', default: '' },
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
  const parts = []
  for (const part of area.tests) parts.push(await reachOf(copy, part))
  const tests = new Tests(copy.folder, { projects: area.tests.map(({ project }) => project), bail: 1 })
  const trial = new Trial(copy, tests, parts)
  const drawn = shuffled(all, Number(values.seed))
    .filter(({ file, line }) => `${file}:${line} `.includes(values.at))
    .slice(0, Number(values.count))
  let [killed, survived] = [0, 0]
  for (const mutant of drawn) {
    if (performance.now() > ends) break
    const began = performance.now()
    const { what, by = '' } = await trial.of(mutant)
    if (what === 'killed') killed++
    if (what === 'survived') survived++
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    console.log(
      `${what.padEnd(9)} ${mutant.file}:${mutant.line} ${mutant.kind}: ${mutant.before} → ${mutant.after}`,
    )
    console.log(`          ${seconds} s${by && `, by: ${by}`}`)
  }
  tests.close()
  const tried = killed + survived
  total.killed += killed
  total.tried += tried
  console.log(`${name}: ${killed} of ${tried} killed, drawn from ${all.length} by seed ${values.seed}\n`)
}

/** The sources in a folder. @param {string} folder */
function filesOf(folder) {
  const names = readdirSync(join(copy.folder, folder), { recursive: true, encoding: 'utf8' })
  return names
    .filter(name => /\.(?:ts|lua|sql)$/.test(name))
    .sort()
    .map(name => join(folder, name))
}
