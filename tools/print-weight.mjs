// Prints docs/weight.md: what each part of Halt weighs in a bundle, at import, and in memory for each key. It measures the built
// packages, so build first. With --check it only compares the kilobytes of the page, because those are the same on every machine.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import esbuild from 'esbuild'

/** The folder from which packages are found. */
const FROM = fileURLToPath(new URL('../apps/benchmarks', import.meta.url))
const PAGE = new URL('../docs/weight.md', import.meta.url)
const FRAMEWORKS = [
  'express',
  'hono',
  'hono/*',
  'fastify',
  'fastify-plugin',
  '@nestjs/*',
  'rxjs',
  'rxjs/*',
  'reflect-metadata',
]

const MEMORY = `import { InMemoryStore } from '@halt/store-memory'`
const LIMITER = `import { RateLimiter } from '@halt/core/kernel'\n${MEMORY}\nexport default () => new RateLimiter({ store: new InMemoryStore(), policy: { name: 'a', limit: 5, window: 60 } })`

/** @param {string} name a package of an adapter */
const oneLine = name =>
  `import { halt } from '${name}'\n${MEMORY}\nexport default halt({ store: new InMemoryStore(), policy: { name: 'a', limit: 5, window: 60 } })`

/** What people begin with. @type {Record<string, string>} */
const WHOLE = {
  '`RateLimiter` of `@halt/core/kernel`': `export { RateLimiter } from '@halt/core/kernel'`,
  '… with the memory store': LIMITER,
  'the one line of Express': oneLine('@halt/express'),
  'the one line of Hono': oneLine('@halt/hono'),
  'the one line of Fastify': `import { halt } from '@halt/fastify'\n${MEMORY}\nexport default [halt, InMemoryStore]`,
  '`RateLimiter` of `@halt/core`, with the memory store': `import { RateLimiter } from '@halt/core'\n${MEMORY}\nexport default () => new RateLimiter({ store: new InMemoryStore(), policy: { name: 'a', limit: 5, window: 60 } })`,
}

/** What is added, and nothing of it before. @type {Record<string, string>} */
const WINGS = {
  'callers that wait: `acquire`, `delay`': '@halt/core/waiting',
  '`explain` and `inspect`': '@halt/core/inspect',
  'decisions while a store is away': '@halt/core/resilience',
  'leases: units in advance': '@halt/core/lease',
  'telemetry: hooks, logging, metrics': '@halt/core/telemetry',
  'blocks, limits and grants of operators': '@halt/control',
  'Redis and Valkey': '@halt/store-redis',
  PostgreSQL: '@halt/store-postgres',
  'SQLite, its driver outside': '@halt/store-sqlite',
  'MySQL and MariaDB, mysql2 outside': '@halt/store-mysql',
  'outgoing calls': '@halt/client',
  'load shedding': '@halt/overload',
}

/** The options that add bytes to a key of the memory store. @type {Record<string, string>} */
const KEYS = {
  'a bucket (the default)': `{ name: 'a', limit: 100, window: '1h' }`,
  'a fixed window': `{ name: 'a', limit: 100, window: '1h', algorithm: 'fixed-window' }`,
  'a sliding window': `{ name: 'a', limit: 100, window: '1h', algorithm: 'sliding-window' }`,
  'a month’s quota': `{ name: 'a', limit: 100, period: 'monthly' }`,
  'requests in flight': `{ name: 'a', limit: 100, algorithm: 'concurrency', ttl: '1h' }`,
  'a bucket of ten million units': `{ name: 'a', limit: 10_000_000, window: '365d' }`,
  'two buckets': `[{ name: 'a', limit: 100, window: '1h' }, { name: 'b', limit: 1000, window: '1d' }]`,
}

/** @param {string} contents */
async function bundled(contents) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: FROM },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    external: FRAMEWORKS,
    logLevel: 'error',
  })
  const code = outputFiles[0]?.contents ?? new Uint8Array()
  return { code: code.byteLength / 1000, zipped: gzipSync(code, { level: 9 }).byteLength / 1000 }
}

/** @param {string} code @param {string[]} [flags] */
function child(code, flags = []) {
  const args = [...flags, '--input-type=module', '--eval', code]
  return Number(execFileSync(process.execPath, args, { cwd: FROM, encoding: 'utf8' }))
}

/** @param {number[]} values */
const median = values => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Milliseconds of the imports of some modules, in fresh processes, in turns. @param {string[][]} sets */
function imported(sets) {
  const runs = sets.map(() => /** @type {number[]} */ ([]))
  for (let round = 0; round < 11; round++)
    for (const [i, set] of sets.entries()) {
      const loads = set.map(name => `await import('${name}')`).join('; ')
      runs[i]?.push(child(`const t = performance.now(); ${loads}; console.log(performance.now() - t)`))
    }
  return runs.map(median)
}

/** Bytes of a key, its text of twenty characters included. @param {string} policy */
function bytesOfKey(policy) {
  const code = `
    import { RateLimiter } from '@halt/core'
    import { InMemoryStore } from '@halt/store-memory'
    const used = () => { gc(); gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external }
    const limiter = new RateLimiter({ store: new InMemoryStore({ maxKeys: 1_000_000 }), policy: ${policy}, warn: () => {} })
    const ask = i => limiter.consume('user:' + String(i).padStart(15, '0'))
    for (let i = 0; i < 2000; i++) await ask(i)
    const before = used()
    for (let i = 2000; i < 202_000; i++) await ask(i)
    console.log((used() - before) / 200_000)
    await ask(1)
    process.exit(0)`
  return Math.round(median([1, 2, 3].map(() => child(code, ['--expose-gc']))))
}

/** @param {string[]} head @param {string[][]} rows */
function table(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => (row[i] ?? '').length)))
  /** @param {string[]} cells */
  const line = cells =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

const whole = await Promise.all(Object.values(WHOLE).map(bundled))
const base = await bundled(LIMITER)
const wings = await Promise.all(
  Object.values(WINGS).map(async name => {
    const { code, zipped } = await bundled(`${LIMITER}\nexport * as wing from '${name}'`)
    return { code: code - base.code, zipped: zipped - base.zipped }
  }),
)

if (process.argv.includes('--check')) {
  const page = readFileSync(PAGE, 'utf8')
  for (const [name, { code }] of [
    ...Object.keys(WHOLE).map((name, i) => /** @type {const} */ ([name, whole[i] ?? base])),
    ...Object.keys(WINGS).map((name, i) => /** @type {const} */ ([name, wings[i] ?? base])),
  ]) {
    const row = page.split('\n').find(line => line.startsWith(`| ${name} `)) ?? ''
    const told = Number(row.split('|')[2])
    if (!(Math.abs(told - code) <= Math.max(0.5, code / 50)))
      throw new Error(
        `docs/weight.md says ${told} kB of ${name}, and it has ${code.toFixed(1)} kB. Run: node tools/print-weight.mjs`,
      )
  }
} else {
  const [nothing = 0, kernel = 0, express = 0, peer = 0, all = 0] = imported([
    [],
    ['@halt/core/kernel', '@halt/store-memory'],
    ['@halt/express', '@halt/store-memory'],
    ['express-rate-limit'],
    ['@halt/core', '@halt/store-memory'],
  ])
  /** @param {number} ms */
  const times = ms => `${((ms - nothing) / (peer - nothing)).toFixed(2)} ×`
  const at = ['', times(kernel), times(express), '', '', times(all)]
  const page = readFileSync(PAGE, 'utf8')
  const wholeRows = Object.keys(WHOLE).map((name, i) => [name, ...kilo(whole[i] ?? base), at[i] ?? ''])
  const wingRows = Object.keys(WINGS).map((name, i) => [name, ...kilo(wings[i] ?? base)])
  const keyRows = Object.entries(KEYS).map(([name, policy]) => [name, String(bytesOfKey(policy))])
  const parts = [
    table(['', 'kB', 'kB gzipped', 'import'], wholeRows),
    table(['added', 'kB', 'kB gzipped'], wingRows),
    table(['policy', 'bytes a key'], keyRows),
  ]
  let next = 0
  writeFileSync(
    PAGE,
    page.replaceAll(
      /<!-- printed -->[\s\S]*?<!-- \/printed -->/g,
      () => `<!-- printed -->\n\n${parts[next++]}\n\n<!-- /printed -->`,
    ),
  )
}

/** @param {{ code: number, zipped: number }} size */
function kilo({ code, zipped }) {
  return [code.toFixed(1), zipped.toFixed(1)]
}
