// Loads every entry point of the installed packages on every supported line of Node.
import { join } from 'node:path'

import { run } from './run.mjs'

/** The lines of Node besides the one that runs this script. They exist as packages, for Linux only. */
const others = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) ? [22, 24] : []

/** False where this script runs one version of Node only. */
export const hasOtherNodes = others.length > 0

/** The packages that bring these versions of Node, for `dependencies`. */
export function nodePackages() {
  return Object.fromEntries(
    others.map(major => [`n${major}`, `npm:node-${process.platform}-${process.arch}@${major}`]),
  )
}

/** The programs of these versions of Node. @param {string} dir where their packages are installed */
export function otherNodes(dir) {
  return others.map(major => ({ label: `v${major}`, path: join(dir, `node_modules/n${major}/bin/node`) }))
}

/** @param {import('./tarballs.mjs').Packed} packed the names of all its entry points */
export function entriesOf({ manifest }) {
  // Data has no names, and `import` of it needs an attribute.
  const entries = Object.keys(manifest.exports).filter(key => !key.endsWith('.json'))
  return entries.map(key => manifest.name + key.slice(1))
}

/**
 * Loads entry points both ways, each in a process of its own, and compares what they export.
 * @param {string} node @param {string} dir @param {string[]} names
 */
export async function load(node, dir, names) {
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
