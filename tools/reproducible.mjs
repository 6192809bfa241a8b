// node tools/reproducible.mjs [NAME …] [--digests FILE]: builds and packs the packages twice, and compares the digests of the tarballs.
//
// Both builds are made in copies of the repository, the second at another path, in another time zone and language. So a path, a time or
// an order of the machine that gets into a tarball shows, and the repository itself stays as it is. `--digests` writes the digests to a file, as `sha256sum` does.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { Copy } from './evidence/copy.mjs'
import { root } from './pnpm.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { digests: { type: 'string' } },
})

/** @param {string} short @returns {{ name: string, private?: boolean, dependencies?: Record<string, string>, peerDependencies?: Record<string, string> }} */
const manifestOf = short => JSON.parse(readFileSync(join(root, 'packages', short, 'package.json'), 'utf8'))
const published = readdirSync(join(root, 'packages')).filter(short => manifestOf(short).private !== true)
const unknown = positionals.find(name => !published.includes(name))
if (unknown !== undefined) throw new Error(`No published package is named "${unknown}".`)
const shorts = inOrder(positionals.length > 0 ? positionals : published)

const work = mkdtempSync(join(tmpdir(), 'halt-reproducible-'))
try {
  const [one, another] = [new Copy(), new Copy()]
  const first = digests(one.folder, join(work, 'first'), {})
  const second = digests(another.folder, join(work, 'second'), {
    TZ: 'Pacific/Chatham',
    LANG: 'tr_TR.UTF-8',
    LC_ALL: 'tr_TR.UTF-8',
  })
  for (const [file, digest] of first)
    console.log(`${second.get(file) === digest ? 'same  ' : 'OTHER '} ${digest}  ${file}`)
  const others = [...first].filter(([file, digest]) => second.get(file) !== digest)
  const lines = [...first].map(([file, digest]) => `${digest}  ${file}\n`)
  if (values.digests !== undefined) writeFileSync(values.digests, lines.join(''))
  console.log(`${first.size - others.length} of ${first.size} tarballs are the same in both builds.`)
  process.exitCode = others.length > 0 ? 1 : 0
} finally {
  rmSync(work, { recursive: true, force: true })
}

/**
 * Builds and packs. Returns the digest of each tarball by its name.
 *
 * @param {string} from
 * @param {string} folder
 * @param {Record<string, string>} environment
 * @returns {Map<string, string>}
 */
function digests(from, folder, environment) {
  mkdirSync(folder, { recursive: true })
  const env = { ...process.env, ...environment }
  for (const short of shorts) {
    const cwd = join(from, 'packages', short)
    run(process.execPath, [join(from, 'tools/build.mjs')], { cwd, env })
  }
  const filters = shorts.map(short => `--filter=${manifestOf(short).name}`)
  const pack = ['--recursive', ...filters, 'pack', '--pack-destination', folder, '--reporter', 'silent']
  run(process.execPath, [join(from, 'tools/pnpm.mjs'), ...pack], { cwd: from, env })
  const files = readdirSync(folder).sort()
  if (files.length !== shorts.length)
    throw new Error(`${files.length} tarballs of ${shorts.length} packages.`)
  return new Map(
    files.map(file => [
      file,
      createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex'),
    ]),
  )
}

/** @param {string} command @param {string[]} args @param {{ cwd: string, env: NodeJS.ProcessEnv }} how */
function run(command, args, how) {
  const { status, stdout, stderr } = spawnSync(command, args, { ...how, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')} in ${how.cwd}:\n${stdout}${stderr}`)
}

/** A build needs the declarations of the packages that it imports, so these come first. @param {string[]} names */
function inOrder(names) {
  /** @type {string[]} */
  const done = []
  const add = (/** @type {string} */ short) => {
    if (done.includes(short)) return
    const { dependencies = {}, peerDependencies = {} } = manifestOf(short)
    for (const name of Object.keys({ ...dependencies, ...peerDependencies }))
      if (name.startsWith('@halt/')) add(name.replace('@halt/', ''))
    done.push(short)
  }
  for (const name of names) add(name)
  return done
}
