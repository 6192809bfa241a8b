// npm run evidence: breaks each promise on purpose, in a copy, and sees the test of docs/evidence.md fail. All patches take about a
// quarter of an hour.
//   --only name    only the patches whose names contain it
//   --print        only writes the table of docs/evidence.md; --check only compares it
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Copy, root } from './evidence/copy.mjs'
import { rows } from './evidence/rows.mjs'
import { pageWith } from './evidence/table.mjs'

/** @typedef {import('./evidence/rows.mjs').Row} Row */

const PAGE = join(root, 'docs/evidence.md')
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    print: { type: 'boolean' },
    check: { type: 'boolean' },
  },
})

if (values.print || values.check) {
  const before = readFileSync(PAGE, 'utf8')
  const text = pageWith(before, rows())
  if (values.print) writeFileSync(PAGE, text)
  else if (text !== before)
    fail('docs/evidence.md does not match the patches. Run node tools/evidence.mjs --print.')
} else await breakAll(rows().filter(({ name }) => name.includes(values.only)))

/** @param {Row[]} chosen */
async function breakAll(chosen) {
  if (chosen.length === 0) fail(`No patch has a name with "${values.only}".`)
  const copy = new Copy()
  const healthy = await healthyTests(copy, chosen)
  /** @type {string[]} */
  const missed = []
  for (const row of chosen) {
    const result = healthy.has(row.test) ? await broken(copy, row) : 'the test fails without the patch'
    if (result !== undefined) missed.push(row.name)
    console.log(
      `${result === undefined ? 'caught' : 'MISSED'}  ${row.name.padEnd(34)} ${result ?? row.fails}`,
    )
  }
  console.log(`\n${chosen.length - missed.length} of ${chosen.length} patches were caught.`)
  if (missed.length > 0) fail(`Not caught: ${missed.join(', ')}`)
}

/** The test files that pass as they are. A test that fails anyway shows nothing. @param {Copy} copy @param {Row[]} chosen */
async function healthyTests(copy, chosen) {
  const healthy = new Set()
  const files = [...new Set(chosen.map(({ test }) => test))]
  for (const project of new Set(files.map(projectOf))) {
    const own = files.filter(file => projectOf(file) === project)
    const { failed, passed, output } = await copy.test(project, own.map(fileIn))
    if (failed.length === 0 && passed > 0) for (const file of own) healthy.add(file)
    else console.error(`${project} fails without a patch: ${failed.join('; ') || output}`)
  }
  return healthy
}

/** Why a patch was not caught; undefined if it was. @param {Copy} copy @param {Row} row */
async function broken(copy, { test, fails, patch }) {
  try {
    copy.apply(patch)
    const { failed, output, isLate } = await copy.test(projectOf(test), [fileIn(test)])
    if (failed.some(title => title.includes(fails))) return undefined
    if (failed.length > 0) return `only these failed: ${failed.join('; ')}`
    return isLate ? 'the test did not end' : `nothing failed. ${output.slice(-300)}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    copy.restore()
  }
}

/** The Vitest project of a test file: its package. @param {string} file */
function projectOf(file) {
  return file.split('/').slice(0, 2).join('/')
}

/** The name of a test file within its package. @param {string} file */
function fileIn(file) {
  return file.split('/').slice(2).join('/')
}

/** @param {string} why @returns {never} */
function fail(why) {
  console.error(why)
  process.exit(1)
}
