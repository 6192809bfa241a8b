// Checks that packages are light, that they carry each thing once and load nothing before it is needed, and that stack traces lead
// to the sources all the same.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { root } from '../pnpm.mjs'
import { run } from './run.mjs'

/** The most bytes that a package may take on disk, README included. */
// Raised for `pace`, `resume`, transactions that checks share, lanes, and who used a shared limit.
const MOST_BYTES = 1_122_000

/** @param {string} folder an installed package */
export function checkWeight(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
  if (bytes > MOST_BYTES) throw new Error(`It takes ${bytes} bytes, more than ${MOST_BYTES}.`)

  /** @type {Set<string>} */
  const told = new Set()
  for (const file of files.filter(file => file.endsWith('.map'))) {
    const { sources, sourcesContent = [] } = JSON.parse(readFileSync(file, 'utf8'))
    for (const source of sourcesContent.length > 0 ? sources : []) {
      if (told.has(source)) throw new Error(`The text of ${source} is in two maps.`)
      told.add(source)
    }
  }

  // The sources in JavaScript, which are shipped as they are, and a file that only exports from others have no maps.
  const built = files.filter(file => /[\\/]dist[\\/](esm[\\/].*\.js|cjs[\\/].*\.cjs)$/.test(file))
  if (built.length === 0) throw new Error('There is no built file.')
  for (const file of built) {
    const code = readFileSync(file, 'utf8')
    const [, map = ''] = /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(code) ?? []
    const isMapped = map !== '' && existsSync(join(dirname(file), map))
    if (!isMapped && /\b(function|class)\b|=>/.test(code)) throw new Error(`${file} has no map.`)
  }
}

/** The functions of a stack trace, and what stands in the line of the source to which each leads. */
const TRACE = [
  ['recordOf', 'throw new HaltError('],
  ['Charges.settle', 'recordOf(decision)'],
  ['RateLimiter.settle', 'this.#parts.charges.settle('],
]

/**
 * Checks that a stack trace names the functions of core and leads to the lines of their sources.
 * @param {string} folder where the packages are installed @param {'module' | 'commonjs'} type
 */
export async function checkTraces(folder, type) {
  const load =
    type === 'module'
      ? (/** @type {string} */ name) => `await import('${name}')`
      : (/** @type {string} */ name) => `require('${name}')`
  const code = `const { RateLimiter } = ${load('@halt/core')}
    const { InMemoryStore } = ${load('@halt/store-memory')}
    const limiter = new RateLimiter({ store: new InMemoryStore(), policy: { name: 'a', limit: 1, window: 1 } })
    limiter.settle({}, 1).catch(error => console.log(error.stack))`
  const file = join(folder, type === 'module' ? 'trace.mjs' : 'trace.cjs')
  writeFileSync(file, code)
  const trace = await run(process.execPath, ['--enable-source-maps', file], folder)
  const places = [...trace.matchAll(/at (\S+) \(https:\S+?\/(packages\/core\/src\/\S+?):(\d+):/g)]
  for (const [i, [name, text = '']] of TRACE.entries()) {
    const [, found, source = '', line] = places[i] ?? []
    const lines = found === name ? readFileSync(join(root, source), 'utf8').split('\n') : []
    // A line of a built file may hold a statement of several lines.
    if (!lines.slice(Number(line) - 1, Number(line) + 1).some(each => each.includes(text)))
      throw new Error(`${name} is not found in the trace, or not in its line:\n${trace}`)
  }
}

/**
 * Checks that Node loads ipaddr.js and its own crypto only when a request or an option needs them.
 * @param {string} folder where the packages are installed @param {'module' | 'commonjs'} type
 */
export async function checkLoading(folder, type) {
  const names = `'@halt/core', '@halt/store-memory'`
  const load =
    type === 'module'
      ? `const [core, memory] = await Promise.all([${names}].map(name => import(name)))
         const { createRequire } = await import('node:module')
         const { cache } = createRequire(process.cwd() + '/x.js')`
      : `const [core, memory] = [${names}].map(name => require(name)); const { cache } = require`
  const code = `${load}
    const loaded = () => [
      Object.keys(cache).some(file => file.includes('ipaddr.js')),
      process.moduleLoadList.includes('NativeModule crypto'),
    ].join()
    const seen = [loaded()]
    const policy = { name: 'a', limit: 1, window: 1 }
    const limiter = new core.RateLimiter({ store: new memory.InMemoryStore(), policy })
    limiter.checkView({ method: 'GET', path: '/', headers: {}, ip: '203.0.113.7' })
    seen.push(loaded())
    limiter.checkView({ method: 'GET', path: '/', headers: {}, ip: '2001:db8::1' })
    limiter.digestOf({ apiKey: 'k' })
    seen.push(loaded())
    console.log(seen.join(' '))`
  const file = join(folder, type === 'module' ? 'late.mjs' : 'late.cjs')
  writeFileSync(file, code)
  const seen = (await run(process.execPath, [file], folder)).trim()
  const wanted = 'false,false false,false true,true'
  if (seen !== wanted) throw new Error(`ipaddr.js and crypto were loaded at ${seen}, not at ${wanted}.`)
}
