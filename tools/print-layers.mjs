// Prints the import rules of .oxlintrc.json from the lists of layers.mjs. `--check` only compares.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

import { kernel, packages, wings } from './layers.mjs'

/** @typedef {{ regex?: string; group?: string[]; message: string }} Pattern */
/** @typedef {{ files: string[]; rules: Record<string, unknown> }} Override */

const root = new URL('../', import.meta.url)
const RULE = 'no-restricted-imports'
const BY_NAME = { regex: '/(src|dist)/', message: 'Import a package by its name and entry.' }
const BY_PATH = {
  regex: '^(@halt/|(\\.\\./)+index\\.ts$)',
  message: 'core imports itself by relative paths, never through index.ts.',
}

/** Forbids imports in a folder. @param {string} folder @param {Pattern[]} patterns @returns {Override} */
function override(folder, patterns) {
  return { files: [`${folder}/**`], rules: { [RULE]: ['error', { patterns: [BY_NAME, ...patterns] }] } }
}

/** Forbids folders beside a folder; none without folders. @param {readonly string[]} folders @param {string} message @returns {Pattern[]} */
function forbid(folders, message) {
  return folders.length === 0 ? [] : [{ regex: `^(\\.\\./)+(${folders.join('|')})/`, message }]
}

/** Says a list of folders. @param {readonly string[]} folders */
function list(folders) {
  return folders.length === 0 ? 'none' : folders.join(', ')
}

/** The rules of a kernel folder. @param {string} folder @param {number} at */
function kernelFolder(folder, at) {
  const before = kernel.slice(0, at)
  return override(`packages/core/src/${folder}`, [
    ...forbid(kernel.slice(at + 1), `${folder}/ imports only the kernel folders before it: ${list(before)}.`),
    ...forbid(Object.keys(wings), 'The kernel imports no wing.'),
    { regex: '^#misuse$', message: 'The kernel imports no wing.' },
    BY_PATH,
  ])
}

/** The rules of a wing. @param {[string, { readonly kernel?: string; readonly wings: readonly string[] }]} entry */
function wingFolder([wing, { kernel: last = kernel.at(-1) ?? '', wings: allowed }]) {
  const end = kernel.indexOf(last) + 1
  const others = Object.keys(wings).filter(other => other !== wing && !allowed.includes(other))
  return override(`packages/core/src/${wing}`, [
    ...forbid(
      [...kernel.slice(end), ...others],
      `${wing}/ imports only the kernel up to ${last}, and these wings: ${list(allowed)}.`,
    ),
    BY_PATH,
  ])
}

/** The rules of a package and of its layers. @param {[string, typeof packages[string]]} entry */
function packageFolders([name, { may, says, layers = [] }]) {
  const src = `packages/${name}/src`
  const outside = { group: ['*', '!./**', '!../**', ...may.map(entry => `!${entry}`)], message: says }
  const inside = layers.map((layer, at) =>
    override(`${src}/${layer}`, [
      {
        regex: `^(\\.\\./)+(${[...layers.slice(at + 1).map(later => `${later}/`), '[a-z-]+\\.ts$'].join('|')})`,
        message: `${layer}/ imports only the folders before it: ${list(layers.slice(0, at))}.`,
      },
      // Last, because oxlint asks no pattern after one that has let a path through.
      outside,
    ]),
  )
  return [override(src, [outside]), ...inside]
}

/** The folders that no list names, and the names that no folder has. @param {string} folder @param {readonly string[]} names */
function differences(folder, names) {
  const found = readdirSync(new URL(folder, root), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
  return [
    ...found
      .filter(name => !names.includes(name))
      .map(name => `${folder}${name} is in no list of layers.mjs.`),
    ...names
      .filter(name => !found.includes(name))
      .map(name => `layers.mjs names ${folder}${name}, which is no folder.`),
  ]
}

const wrong = [
  ...differences('packages/core/src/', [...kernel, ...Object.keys(wings)]),
  ...differences('packages/', ['core', ...Object.keys(packages)]),
]
const file = new URL('.oxlintrc.json', root)
const before = JSON.parse(readFileSync(file, 'utf8'))
const printed = [
  ...kernel.map(kernelFolder),
  ...Object.entries(wings).map(wingFolder),
  ...Object.entries(packages).flatMap(packageFolders),
]
/** @type {Override[]} */
const others = before.overrides.filter((/** @type {Override} */ { rules }) => !Object.hasOwn(rules, RULE))
const after = { ...before, overrides: [...others, ...printed] }

if (!process.argv.includes('--check')) {
  // A printed rule on one line, which oxfmt breaks where it is too long.
  const head = JSON.stringify({ ...before, overrides: others }, undefined, 2).replace(/\n {2}\]\n\}$/, '')
  const rules = printed.map(rule => `    ${JSON.stringify(rule)}`).join(',\n')
  writeFileSync(file, `${head},\n${rules}\n  ]\n}\n`)
  spawnSync('oxfmt', [fileURLToPath(file)], {
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${fileURLToPath(new URL('node_modules/.bin', root))}:${process.env['PATH']}`,
    },
  })
} else if (!isDeepStrictEqual(after, before))
  wrong.push('.oxlintrc.json does not match tools/layers.mjs. Run node tools/print-layers.mjs.')

for (const text of wrong) console.error(text)
if (wrong.length > 0) process.exit(1)
