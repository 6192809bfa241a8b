// Uses installed packages as their READMEs say: @halt/fetch on Node, @halt/store-postgres on PGlite, and
// @halt/store-durable-objects in workerd.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import esbuild from 'esbuild'
import { Log, LogLevel, Miniflare } from 'miniflare'

import { root } from '../pnpm.mjs'
import { run } from './run.mjs'

/** Packages that the READMEs install beside Halt, with the versions that the tests use. */
export function readmePackages() {
  return {
    '@hono/node-server': devDependency('fetch', '@hono/node-server'),
    '@electric-sql/pglite': devDependency('store-postgres', '@electric-sql/pglite'),
    tsx: devDependency('cli', 'tsx'),
  }
}

/** Runs the first example of @halt/fetch, and asks its server. @param {string} installed */
export async function checkFetch(installed) {
  const ask = `port: 0 }, async ({ port }) => {
  const { status, headers } = await fetch(\`http://127.0.0.1:\${port}/\`)
  console.log(status, headers.get('ratelimit-remaining'))
  process.exit()
})`
  const given = exampleOf(installed, 'fetch')
  const code = given.replace('port: 3000 })', ask)
  if (code === given) throw new Error('The README serves on another port than 3000.')
  await says(installed, 'fetch.mjs', code, '200 4')
}

/** Runs schema.sql and the store on PGlite. @param {string} installed */
export async function checkPostgres(installed) {
  const schema = 'node_modules/@halt/store-postgres/schema.sql'
  if (!existsSync(join(installed, schema))) throw new Error('The package has no schema.sql.')
  const code = `
import { readFileSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { presets, RateLimiter } from '@halt/core'
import { PostgresStore } from '@halt/store-postgres'
const lite = new PGlite()
await lite.exec(readFileSync('${schema}', 'utf8'))
const store = new PostgresStore({ query: lite })
const limiter = new RateLimiter({ store, policy: presets.PUBLIC_API, storeTimeout: '30s' })
const { degraded, remaining } = await limiter.consume({ user: '42' })
console.log(degraded, remaining, JSON.stringify(await store.inspect()))
process.exit()
`
  await says(installed, 'postgres.mjs', code, 'false 119 []')
}

/** Bundles the Worker of @halt/store-durable-objects as wrangler does, and asks it. @param {string} installed */
export async function checkDurableObjects(installed) {
  const entry = join(installed, 'worker.ts')
  writeFileSync(entry, exampleOf(installed, 'store-durable-objects'))
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'error',
  })
  const miniflare = new Miniflare({
    modules: true,
    script: outputFiles[0]?.text ?? '',
    compatibilityDate: '2026-04-26',
    durableObjects: { HALT: { className: 'HaltCounters', useSQLite: true } },
    log: new Log(LogLevel.NONE),
  })
  try {
    const statuses = []
    for (let i = 0; i < 3; i++) {
      const headers = { 'CF-Connecting-IP': '203.0.113.7' }
      statuses.push((await miniflare.dispatchFetch('http://halt.example/', { headers })).status)
    }
    if (statuses.join(' ') !== '200 200 429') throw new Error(`It answers ${statuses.join(' ')}.`)
  } finally {
    await miniflare.dispose()
  }
}

/** @param {string} installed @param {string} file @param {string} code @param {string} due */
async function says(installed, file, code, due) {
  writeFileSync(join(installed, file), code)
  const said = (await run(process.execPath, [file], installed)).trim()
  if (said !== due) throw new Error(`It says ${said}, not ${due}.`)
}

/** The first example of an installed README. @param {string} installed @param {string} short */
function exampleOf(installed, short) {
  const readme = readFileSync(join(installed, 'node_modules/@halt', short, 'README.md'), 'utf8')
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  if (code === undefined) throw new Error(`The README of @halt/${short} has no example.`)
  return code
}

/** @param {string} short @param {string} name @returns {string} */
function devDependency(short, name) {
  const manifest = readFileSync(join(root, 'packages', short, 'package.json'), 'utf8')
  return JSON.parse(manifest).devDependencies[name]
}
