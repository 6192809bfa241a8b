// node tools/night.mjs LOG FOLDER: writes what a night's run of the full tests found, for docs/nights.md.
//
// The folder gets `night.json`, and `failure.md`, the text of an issue, if something failed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

/**
 * @typedef {{ commit: string, seed: string, order: string, node: string, date: string }} Night what was run
 * @typedef {Night & { counts: string | undefined, failed: string[], replays: string[] }} NightRecord
 */

/**
 * Reads the log of a run.
 *
 * `failed` are the names of the tests and checks that failed; `replays` the lines that play a random history again.
 *
 * @param {string} log
 * @param {Night} night
 * @returns {NightRecord}
 */
export function readNight(log, night) {
  const lines = stripVTControlCharacters(log)
    .split('\n')
    .map(line => line.trim())
  const matches = (/** @type {RegExp} */ pattern) => [
    ...new Set(lines.flatMap(line => pattern.exec(line)?.[1] ?? [])),
  ]
  return {
    ...night,
    // The last one: a test of the count may print another.
    counts: matches(/^(\d+ passed, \d+ failed, \d+ skipped)$/).at(-1),
    failed: [...matches(/^FAIL {1,2}(.+)$/), ...matches(/^Failed: (.+)$/)],
    replays: matches(/((?:HALT_KIND='[^']*' )?HALT_SEED=-?\d+(?: HALT_PATH=\S+)?)/),
  }
}

/**
 * The text of an issue about a night that failed; undefined if nothing failed. A run without its last line has failed.
 *
 * @param {NightRecord} night
 */
export function failureOf({ counts, failed, replays, commit, seed, order, node }) {
  if (counts !== undefined && failed.length === 0) return undefined
  const list = (/** @type {string[]} */ items) => items.map(item => `- \`${item}\``).join('\n')
  return [
    `At ${commit}, on Node ${node}: ${counts ?? 'the run did not end'}.`,
    list(failed),
    `Draw the same cases: \`HALT_SEED=${seed} HALT_ORDER=${order} npm test -- --full\``,
    replays.length > 0 ? `Play these histories again:\n\n${list(replays)}` : '',
    'Once it is mended, add an entry to docs/nights.md.',
  ]
    .filter(Boolean)
    .join('\n\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [log = '', folder = ''] = process.argv.slice(2)
  const env = process.env
  const night = readNight(readFileSync(log, 'utf8'), {
    date: new Date().toISOString().slice(0, 10),
    commit: env['GITHUB_SHA'] ?? 'unknown',
    seed: env['HALT_SEED'] ?? 'unknown',
    order: env['HALT_ORDER'] ?? 'unknown',
    node: process.versions.node,
  })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'night.json'), `${JSON.stringify(night, undefined, 2)}\n`)
  const failure = failureOf(night)
  if (failure !== undefined) writeFileSync(join(folder, 'failure.md'), `${failure}\n`)
}
