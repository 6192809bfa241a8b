// Checks what users get: packs every published package, checks the tarballs, installs them in an empty folder, weighs and
// bundles them, imports and requires every entry point on every supported line of Node, and uses some as their READMEs say.
// Needs a build.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { pnpm, root } from './pnpm.mjs'
import { checkBundles, checkBundleWeight } from './smoke/bundles.mjs'
import { checkDurableObjects, checkFetch, checkPostgres, readmePackages } from './smoke/readmes.mjs'
import { checkPage } from './smoke/page.mjs'
import { message, run } from './smoke/run.mjs'
import { checkLoading, checkWeight } from './smoke/weight.mjs'

/**
 * @typedef {{ name: string, version: string, private?: boolean, exports: Record<string, unknown>, peerDependencies?: Record<string, string> }} Manifest
 * @typedef {{ manifest: Manifest, tarball: string, short: string }} Packed
 */

const work = mkdtempSync(join(tmpdir(), 'halt-smoke-'))
/** @type {[string, string, string][]} the check, the package, and `ok` or what is wrong */
const rows = []

/** The lines of Node besides the one that runs this script. They exist as packages, for Linux only. */
const otherNodes = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) ? [22, 24] : []

/** Packages that `@halt/express` must not install: Redis clients and other frameworks. */
const foreign =
  /^(ioredis|redis|@redis\/.*|fastify|hono|@nestjs\/.*|@hono\/.*|@fastify\/.*|@halt\/store-redis|pg|postgres|@electric-sql\/.*|@halt\/store-postgres)$/

try {
  const packages = pack()
  await Promise.all(packages.map(checkTarball))
  const express = await install('express', packages, ['core', 'store-memory', 'express'])
  checkLightness(express)
  await check('bundles', '@halt/core', () => checkBundles(express, join(work, 'bundles')))
  await check('bundle weight', '@halt/express', () => checkBundleWeight(express))
  await check('loads late', 'import', () => checkLoading(express, 'module'))
  await check('loads late', 'require', () => checkLoading(express, 'commonjs'))
  const shorts = packages.map(({ short }) => short)
  const all = await install('all', packages, shorts, { ...nodePackages(), ...readmePackages() })
  for (const { manifest } of packages)
    await check('weight', manifest.name, async () => checkWeight(join(all, 'node_modules', manifest.name)))
  await check('page', '@halt/operator', () => checkPage(all))
  await checkEntries(all, packages)
  await check('as README says', '@halt/fetch', () => checkFetch(all))
  await check('as README says', '@halt/store-postgres', () => checkPostgres(all))
  await check('as README says', '@halt/store-durable-objects', () => checkDurableObjects(all))
} catch (error) {
  rows.push(['smoke test', '', message(error)])
} finally {
  rmSync(work, { recursive: true, force: true })
}
report()

/** @returns {Packed[]} */
function pack() {
  return readdirSync(join(root, 'packages')).flatMap(short => {
    /** @type {Manifest} */
    const manifest = JSON.parse(readFileSync(join(root, 'packages', short, 'package.json'), 'utf8'))
    if (manifest.private) return []
    const args = ['--dir', `packages/${short}`, 'pack', '--pack-destination', work, '--reporter', 'silent']
    if (pnpm(args) !== 0) throw new Error(`pnpm could not pack ${manifest.name}`)
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    return { manifest, tarball: join(work, file), short }
  })
}

/** @param {Packed} packed */
async function checkTarball({ manifest: { name, exports }, tarball }) {
  const files = (await run('tar', ['-tzf', tarball])).split('\n')
  const wanted = ['README.md', 'LICENSE', 'CHANGELOG.md', ...targets(exports)]
  const missing = wanted.filter(file => !files.includes(`package/${file.replace('./', '')}`))
  rows.push(['files', name, missing.length === 0 ? 'ok' : `missing: ${missing.join(', ')}`])
  await check('publint', name, () => run(bin('publint'), ['--strict', tarball]))
  await check('attw', name, () => run(bin('attw'), [tarball, '--no-emoji']))
}

/** @param {unknown} exports @returns {string[]} every file that an `exports` map names for users: the sources are not packed */
function targets(exports) {
  if (typeof exports === 'string') return [exports]
  return Object.entries(exports ?? {}).flatMap(([name, target]) =>
    name === 'halt-source' ? [] : targets(target),
  )
}

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

/** @param {string} dir @param {Packed[]} packages */
async function checkEntries(dir, packages) {
  const nodes = [
    { label: process.version, path: process.execPath },
    ...otherNodes.map(major => ({ label: `v${major}`, path: join(dir, `node_modules/n${major}/bin/node`) })),
  ]
  for (const { label, path } of nodes) {
    for (const { manifest } of packages) {
      const entries = Object.keys(manifest.exports).filter(key => key !== './package.json')
      const names = entries.map(key => manifest.name + key.slice(1))
      await check(`Node ${label}`, manifest.name, () => load(path, dir, names))
    }
  }
}

/**
 * Loads entry points both ways, each in a process of its own, and compares what they export.
 * @param {string} node @param {string} dir @param {string[]} names
 */
async function load(node, dir, names) {
  const list = JSON.stringify(names)
  const print =
    'console.log(JSON.stringify(all.map(one => Object.keys(one).filter(key => !/^(default|module.exports|__esModule)$/.test(key)).sort())))'
  const imported = `const all = await Promise.all(${list}.map(name => import(name))); ${print}`
  const required = `const all = ${list}.map(name => require(name)); ${print}`
  const [esm, cjs] = await Promise.all([
    run(node, ['--input-type=module', '--eval', imported], dir),
    run(node, ['--input-type=commonjs', '--eval', required], dir),
  ])
  if (esm !== cjs) throw new Error(`import gives ${esm.trim()}, require gives ${cjs.trim()}`)
}

function nodePackages() {
  return Object.fromEntries(
    otherNodes.map(major => [`n${major}`, `npm:node-${process.platform}-${process.arch}@${major}`]),
  )
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

/** @param {string} name */
function bin(name) {
  return join(root, 'node_modules/.bin', name)
}

/** Prints one line per check with the packages that passed it, then each failure in full. */
function report() {
  for (const what of new Set(rows.map(([what]) => what))) {
    const these = rows.filter(row => row[0] === what)
    const passed = these.filter(([, , result]) => result === 'ok').map(([, name]) => name)
    const failed = these.length - passed.length
    console.log(`${what.padEnd(16)} ${failed === 0 ? 'ok  ' : 'FAIL'} ${passed.join(' ')}`)
  }
  if (otherNodes.length === 0)
    console.log('Node 22 and 24 are tried on Linux only. This run used one version of Node.')
  const failures = rows.filter(([, , result]) => result !== 'ok')
  for (const [what, name, result] of failures) console.error(`\n${what} ${name}: ${result}`)
  process.exitCode = failures.length > 0 ? 1 : 0
}
