// Checks bundles of the installed packages: that they run without node_modules, and what they weigh.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import esbuild from 'esbuild'
import { rolldown } from 'rolldown'

import { run } from './run.mjs'

/** The most bytes of a minified bundle, with `ipaddr.js` and without Express: of what it loads at once, and of all its files. */
const MOST_BYTES = {
  // They only fall. Raised once, by 2 to 4 kB, for refusals that are decided in place, for the mark by which a store tells that it has
  // lost its counters, for counters whose reply cannot be read, and for refusals by what running calls hold.
  // Raised by 3.5 to 4 kB for sentences of refusals that name what is used up, `halt()` that comes too late, and plain groups for stores.
  // One policy, memory store and Express middleware. `delay` and `reserve` load the other files.
  express: { atOnce: 205_100, all: 246_100 },
  kernel: { atOnce: 149_500, all: 158_000 },
}

/** Texts of parts that the bundle does not use: presets, plans, registry, managers, surveys. */
const UNUSED = [
  'auth_endpoints',
  'HALT_E_UNKNOWN_PLAN',
  'HALT_E_UNKNOWN_POLICY',
  'HALT_E_QUOTA',
  'free_monthly_requests',
]

// An IPv6 address needs ipaddr.js, and a digest needs a hash. Both must be in the bundle, or in the runtime.
const ALONE = `
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
const limiter = new RateLimiter({
  store: new InMemoryStore(),
  policy: { name: 'a', limit: 1, window: 1 },
  trustedProxies: ['2001:db8:1::/48'],
})
const headers = { 'x-forwarded-for': '2001:db8:2::7' }
const decision = limiter.checkView({ method: 'GET', path: '/', headers, ip: '2001:db8:1::1' })
console.log(decision.key, limiter.digestOf({ apiKey: 'key' }))
`
const digest = createHash('sha256').update('key').digest().subarray(0, 16).toString('base64url')
const ANSWER = `ip:2001:db8:2::/56 ${digest}`

const KERNEL = `
import { RateLimiter } from '@halt/core/kernel'
export default options => new RateLimiter(options)
`

const EXPRESS = `
import { halt } from '@halt/express'
import { InMemoryStore } from '@halt/store-memory'
export default halt({ policy: { name: 'a', limit: 1, window: 1 }, store: new InMemoryStore() })
`

/** @type {Record<string, (input: string, dir: string) => Promise<unknown>>} the bundlers, by the file that each writes */
const BUNDLERS = {
  'esbuild.mjs': (input, dir) => withEsbuild(input, join(dir, 'esbuild.mjs'), { platform: 'node' }),
  'esbuild.cjs': (input, dir) =>
    withEsbuild(input, join(dir, 'esbuild.cjs'), { platform: 'node', format: 'cjs' }),
  // With conditions of one's own, esbuild does not match "module".
  'conditions.mjs': (input, dir) =>
    withEsbuild(input, join(dir, 'conditions.mjs'), { platform: 'node', conditions: ['custom'] }),
  // As wrangler does.
  'worker.mjs': (input, dir) =>
    withEsbuild(input, join(dir, 'worker.mjs'), { conditions: ['workerd', 'worker', 'browser'] }),
  'rolldown.mjs': (input, dir) => withRolldown(input, dir, 'rolldown.mjs', 'esm'),
  'rolldown.cjs': (input, dir) => withRolldown(input, dir, 'rolldown.cjs', 'cjs'),
}

/**
 * Checks that a bundle of each bundler runs alone.
 * @param {string} installed where the packages are installed @param {string} away a folder without node_modules
 */
export async function checkBundles(installed, away) {
  const input = join(installed, 'alone.mjs')
  writeFileSync(input, ALONE)
  for (const [file, bundle] of Object.entries(BUNDLERS)) {
    const dir = join(away, file)
    mkdirSync(dir, { recursive: true })
    await bundle(input, dir)
    // A Worker has no modules of Node.
    const hidden =
      file === 'worker.mjs' ? ['--import', 'data:text/javascript,delete process.getBuiltinModule'] : []
    const said = (await run(process.execPath, [...hidden, join(dir, file)], dir)).trim()
    if (said !== ANSWER) throw new Error(`${file} says ${said}, not ${ANSWER}.`)
  }
}

/** Checks that bundles are light, and have no parts that they do not use. @param {string} installed */
export async function checkBundleWeight(installed) {
  await weigh(join(installed, 'express.mjs'), EXPRESS, MOST_BYTES.express)
  await weigh(join(installed, 'kernel.mjs'), KERNEL, MOST_BYTES.kernel)
}

/** @param {string} input @param {string} source @param {{ atOnce: number, all: number }} most */
async function weigh(input, source, most) {
  writeFileSync(input, source)
  // The conditions of bundlers.
  const conditionNames = ['import', 'module', 'default']
  const build = await rolldown({ input, external: ['express', /^node:/], resolve: { conditionNames } })
  const { output } = await build.generate({ format: 'esm', minify: true })
  const files = new Map(output.flatMap(file => (file.type === 'chunk' ? [[file.fileName, file]] : [])))
  // A bundler may write files that nothing loads any more.
  const loaded = new Set([...files.values()].filter(file => file.isEntry))
  for (const file of loaded)
    for (const name of [...file.imports, ...file.dynamicImports]) loaded.add(files.get(name) ?? file)
  const code = [...loaded].map(file => file.code).join('')
  const unused = UNUSED.filter(text => code.includes(text))
  if (unused.length > 0) throw new Error(`It has parts that it does not use: ${unused.join(', ')}.`)
  const first = new Set([...files.values()].filter(file => file.isEntry))
  for (const file of first)
    for (const name of file.imports) if (files.has(name)) first.add(files.get(name) ?? file)
  const atOnce = Buffer.byteLength([...first].map(file => file.code).join(''))
  const all = Buffer.byteLength(code)
  if (atOnce > most.atOnce || all > most.all)
    throw new Error(
      `${input} has ${atOnce} bytes at once and ${all} in all, more than ${most.atOnce} and ${most.all}.`,
    )
}

/** @param {string} input @param {string} outfile @param {import('esbuild').BuildOptions} options */
function withEsbuild(input, outfile, options) {
  return esbuild.build({
    entryPoints: [input],
    outfile,
    bundle: true,
    format: 'esm',
    logLevel: 'error',
    ...options,
  })
}

/** @param {string} input @param {string} dir @param {string} file @param {'esm' | 'cjs'} format */
async function withRolldown(input, dir, file, format) {
  const build = await rolldown({ input, platform: 'node' })
  await build.write({ dir, format, entryFileNames: file })
}
