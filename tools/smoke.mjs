// Checks what users get: packs every published package, checks the tarballs, installs them in an empty folder, weighs and
// bundles them, imports and requires every entry point on every supported line of Node, and uses some as their READMEs say.
// Needs a build.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { checkBundles, checkBundleWeight } from './smoke/bundles.mjs'
import { entriesOf, hasOtherNodes, load, nodePackages, otherNodes } from './smoke/entries.mjs'
import { checkDurableObjects, checkFetch, checkPostgres, readmePackages } from './smoke/readmes.mjs'
import { checkDeclarations } from './smoke/declarations.mjs'
import { checkDocumentation } from './smoke/documentation.mjs'
import { checkEditor } from './smoke/editor.mjs'
import { checkPage } from './smoke/page.mjs'
import { checkLimitsFile } from './smoke/limits-file.mjs'
import { message, run } from './smoke/run.mjs'
import { checkSnapshot } from './smoke/snapshot.mjs'
import { checkFiles, checkManifest, checkTypes, pack } from './smoke/tarballs.mjs'
import { checkLoading, checkTraces, checkWeight } from './smoke/weight.mjs'

/** @typedef {import('./smoke/tarballs.mjs').Packed} Packed */

const work = mkdtempSync(join(tmpdir(), 'halt-smoke-'))
/** @type {[string, string, string][]} the check, the package, and `ok` or what is wrong */
const rows = []

/** Packages that `@halt/express` must not install: Redis clients and other frameworks. */
const foreign =
  /^(ioredis|redis|@redis\/.*|fastify|hono|@nestjs\/.*|@hono\/.*|@fastify\/.*|@halt\/store-redis|pg|postgres|@electric-sql\/.*|@halt\/store-postgres|better-sqlite3|libsql|@halt\/store-sqlite|mysql2|@halt\/store-mysql)$/

try {
  const packages = pack(work)
  for (const packed of packages) {
    await check('files', packed.manifest.name, () => checkFiles(packed))
    await check('publint', packed.manifest.name, () => checkManifest(packed))
    await check('attw', packed.manifest.name, () => checkTypes(packed))
  }
  const express = await install('express', packages, ['core', 'store-memory', 'express'])
  checkLightness(express)
  await check('bundles', '@halt/core', () => checkBundles(express, join(work, 'bundles')))
  await check('bundle weight', '@halt/express', () => checkBundleWeight(express))
  await check('weight page', 'docs/weight.md', () =>
    run(process.execPath, ['tools/print-weight.mjs', '--check']),
  )
  await check('public names', 'tools/names', () =>
    run(process.execPath, ['tools/print-names.mjs', '--check']),
  )
  await check('declarations', '@halt/core', () =>
    checkDeclarations(
      express,
      packages.filter(({ short }) => short === 'core' || short === 'store-memory').flatMap(entriesOf),
    ),
  )
  await check('loads late', 'import', () => checkLoading(express, 'module'))
  await check('loads late', 'require', () => checkLoading(express, 'commonjs'))
  await check('traces', 'import', () => checkTraces(express, 'module'))
  await check('traces', 'require', () => checkTraces(express, 'commonjs'))
  const shorts = packages.map(({ short }) => short)
  const all = await install('all', packages, shorts, { ...nodePackages(), ...readmePackages() })
  for (const { manifest } of packages)
    await check('weight', manifest.name, async () => checkWeight(join(all, 'node_modules', manifest.name)))
  for (const { manifest, short } of packages)
    await check('comments', manifest.name, () =>
      checkDocumentation(join(all, 'node_modules', manifest.name), short),
    )
  const isFull = Boolean(process.env['HALT_FULL'])
  if (isFull) await check('editor', 'all together', () => checkEditor(all))
  await check('page', '@halt/operator', () => checkPage(all))
  await checkEntries(all, packages)
  if (isFull) {
    await check('as README says', '@halt/fetch', () => checkFetch(all))
    await check('as README says', '@halt/store-postgres', () => checkPostgres(all))
    await check('as README says', '@halt/store-durable-objects', () => checkDurableObjects(all))
  }
} catch (error) {
  rows.push(['smoke test', '', message(error)])
} finally {
  rmSync(work, { recursive: true, force: true })
}
report()

/**
 * Installs the named packages, from their tarballs alone, in a new folder.
 * @param {string} folder @param {Packed[]} packages @param {string[]} shorts @param {Record<string, string>} [others]
 */
async function install(folder, packages, shorts, others = {}) {
  const dir = join(work, folder)
  const chosen = packages.filter(({ short }) => shorts.includes(short))
  const dependencies = Object.fromEntries(
    chosen.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]),
  )
  mkdirSync(dir)
  const manifest = {
    name: folder,
    private: true,
    dependencies: { ...dependencies, ...optionalPeers(chosen), ...others },
  }
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest))
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', '--package-lock=false']
  await run('npm', ['install', ...options], dir)
  return dir
}

/** Peers that npm leaves out because they are optional: installed where everything is, so that all of it is tried. @param {Packed[]} chosen */
function optionalPeers(chosen) {
  return chosen.some(({ short }) => short === 'store-redis') ? { ioredis: '*', redis: '*' } : {}
}

/** @param {string} dir */
function checkLightness(dir) {
  const modules = join(dir, 'node_modules')
  const names = readdirSync(modules).flatMap(name =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map(inner => `${name}/${inner}`) : [name],
  )
  const brought = names.filter(name => foreign.test(name))
  rows.push(['no other package', '@halt/express', brought.length === 0 ? 'ok' : brought.join(', ')])
  const nested = ['express', 'store-memory'].filter(name =>
    existsSync(join(modules, '@halt', name, 'node_modules')),
  )
  const alone = names.includes('@halt/core') && nested.length === 0
  rows.push(['one core', '@halt/express', alone ? 'ok' : 'there is not exactly one @halt/core'])
}

/**
 * Loads all packages together on each version of Node, gives the command limits in TypeScript, and in the full form loads each
 * package by itself, too.
 * @param {string} dir @param {Packed[]} packages
 */
async function checkEntries(dir, packages) {
  const nodes = [{ label: process.version, path: process.execPath }, ...otherNodes(dir)]
  for (const { label, path } of nodes) {
    await check(`Node ${label}`, 'all together', () => load(path, dir, packages.flatMap(entriesOf)))
    await check('limits.mts', label, () => checkLimitsFile(path, dir))
    if (process.env['HALT_FULL'] || path === process.execPath)
      await check('snapshot', label, () => checkSnapshot(path, dir))
    for (const packed of process.env['HALT_FULL'] ? packages : [])
      await check(`Node ${label}`, packed.manifest.name, () => load(path, dir, entriesOf(packed)))
  }
}

/** @param {string} what @param {string} name @param {() => Promise<unknown>} attempt */
async function check(what, name, attempt) {
  try {
    await attempt()
    rows.push([what, name, 'ok'])
  } catch (error) {
    rows.push([what, name, message(error)])
  }
}

/** Prints one line per check with the packages that passed it, then each failure in full. */
function report() {
  for (const what of new Set(rows.map(([what]) => what))) {
    const these = rows.filter(row => row[0] === what)
    const passed = these.filter(([, , result]) => result === 'ok').map(([, name]) => name)
    const failed = these.length - passed.length
    console.log(`${what.padEnd(16)} ${failed === 0 ? 'ok  ' : 'FAIL'} ${passed.join(' ')}`)
  }
  if (!hasOtherNodes)
    console.log('Node 22 and 24 are tried on Linux only. This run used one version of Node.')
  const failures = rows.filter(([, , result]) => result !== 'ok')
  for (const [what, name, result] of failures) console.error(`\n${what} ${name}: ${result}`)
  process.exitCode = failures.length > 0 ? 1 : 0
}
