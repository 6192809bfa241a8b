import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { rolldown } from 'rolldown'

import type { Effort } from './memory.ts'
import { figure, type Section } from './report.ts'

const SMALLEST = 'one policy, memory store and Express middleware'

/** Measures what an installation and a bundle weigh. The same, quick or not. */
export async function weight(_effort: Effort): Promise<Section> {
  const packages = ['core', 'store-memory', 'express'].map(name => ({ name, bytes: unpackedBytes(name) }))
  const [portable, forNode] = [await bundledBytes('neutral'), await bundledBytes('node')]
  return {
    name: 'weight',
    title: 'Weight: kB',
    head: ['', 'kB'],
    rows: [
      ...packages.map(({ name, bytes }) => [`@halt/${name}, its tarball unpacked`, figure(bytes / 1000)]),
      [`${SMALLEST}, bundled and minified`, figure(portable / 1000)],
      [`${SMALLEST}, bundled for Node and minified`, figure(forNode / 1000)],
    ],
    targets: [
      {
        what: "@halt/core's tarball, unpacked",
        rule: 'most',
        bound: 0.8,
        measured: (packages[0]?.bytes ?? Number.NaN) / 1e6,
        unit: 'MB',
      },
      {
        what: `${SMALLEST}, bundled and minified`,
        rule: 'most',
        bound: 80,
        measured: portable / 1000,
        unit: 'kB',
      },
    ],
    notes: [
      'Tarballs as `pnpm pack` makes them, with maps, types and README. Bundles as rolldown makes them, before compression, with ipaddr.js inside and Express outside. The portable bundle also has @noble/hashes inside; Node has a SHA-256 of its own.',
    ],
  }
}

/** Packs a package, unpacks it, and adds up its files. */
function unpackedBytes(name: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'halt-weight-'))
  try {
    const pnpm = fileURLToPath(new URL('../../../tools/pnpm.mjs', import.meta.url))
    const pack = ['--dir', `packages/${name}`, 'pack', '--pack-destination', folder, '--reporter', 'silent']
    execFileSync(process.execPath, [pnpm, ...pack])
    const [tarball = ''] = readdirSync(folder)
    execFileSync('tar', ['-xzf', tarball], { cwd: folder })
    return readdirSync(join(folder, 'package'), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Bundles the smallest app. */
async function bundledBytes(platform: 'neutral' | 'node'): Promise<number> {
  const build = await rolldown({
    input: fileURLToPath(new URL('contestants/smallest-app.js', import.meta.url)),
    platform,
    external: /^(express|node:.*)$/,
    resolve: { mainFields: ['module', 'main'] },
  })
  const { output } = await build.generate({ minify: true })
  await build.close()
  return output.reduce((sum, file) => sum + (file.type === 'chunk' ? Buffer.byteLength(file.code) : 0), 0)
}
