// Packs every published package, and checks the tarballs.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

import { pnpm, root } from '../pnpm.mjs'
import { run } from './run.mjs'

/**
 * @typedef {{ name: string, version: string, private?: boolean, exports: Record<string, unknown>, peerDependencies?: Record<string, string> }} Manifest
 * @typedef {{ manifest: Manifest, tarball: string, short: string }} Packed
 */

/** @param {string} folder where the tarballs go @returns {Packed[]} */
export function pack(folder) {
  const packages = readdirSync(join(root, 'packages')).flatMap(short => {
    /** @type {Manifest} */
    const manifest = JSON.parse(readFileSync(join(root, 'packages', short, 'package.json'), 'utf8'))
    if (manifest.private) return []
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    return { manifest, tarball: join(folder, file), short }
  })
  const filters = packages.map(({ manifest }) => `--filter=${manifest.name}`)
  const args = ['--recursive', ...filters, 'pack', '--pack-destination', folder, '--reporter', 'silent']
  if (pnpm(args) !== 0) throw new Error('pnpm could not pack the packages')
  return packages
}

/** Checks that a tarball has the files that its manifest names. @param {Packed} packed */
export async function checkFiles({ manifest, tarball }) {
  const files = (await run('tar', ['-tzf', tarball])).split('\n')
  const wanted = ['README.md', 'LICENSE', 'CHANGELOG.md', ...targets(manifest.exports)]
  const missing = wanted.filter(file => !files.includes(`package/${file.replace('./', '')}`))
  if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`)
}

/** @param {Packed} packed */
export async function checkManifest({ tarball }) {
  const { messages, pkg } = await publint({ pack: { tarball: bytesOf(tarball).buffer }, strict: true })
  const errors = messages.filter(({ type }) => type === 'error')
  if (errors.length > 0) throw new Error(errors.map(error => formatMessage(error, pkg)).join('\n'))
}

/** Checks that every way to import a package finds its types. @param {Packed} packed */
export async function checkTypes({ tarball }) {
  const { types, ...result } = await checkPackage(createPackageFromTarballData(bytesOf(tarball)))
  if (types === false) throw new Error('It has no types.')
  const problems = 'problems' in result ? result.problems : []
  if (problems.length > 0) throw new Error(JSON.stringify(problems, undefined, 2))
}

/** @param {string} file @returns {Uint8Array<ArrayBuffer>} the bytes in a buffer of their own */
function bytesOf(file) {
  return new Uint8Array(readFileSync(file))
}

/** @param {unknown} exports @returns {string[]} every file that an `exports` map names for users: the sources are not packed */
function targets(exports) {
  if (typeof exports === 'string') return [exports]
  return Object.entries(exports ?? {}).flatMap(([name, target]) =>
    name === 'halt-source' ? [] : targets(target),
  )
}
