// Builds the package in the current folder: declarations by the compiler, code in one file an entry by the bundler, as
// ES modules and as CommonJS. One file, since loading a hundred small ones takes ten times as long as running them.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

import { rolldown } from 'rolldown'

const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))

/** Compiles the sources to a folder. @param {string} outDir @param {string[]} options */
function compile(outDir, options = []) {
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir, ...options]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** The sources of the package's entries, by the name of the file each becomes. */
function entries() {
  const sources = Object.values(exports).flatMap(entry => entry['halt-source'] ?? [])
  return Object.fromEntries(sources.map(source => [source.replace(/^\.\/src\/|\.ts$/g, ''), source]))
}

/** Whether an import is of another package. @param {string} name */
function isOthers(name) {
  return !name.startsWith('.') && !isAbsolute(name)
}

/** Bundles the entries; what they share goes to files of its own, what others publish is imported. */
async function bundle() {
  const build = await rolldown({ input: entries(), external: isOthers, tsconfig: 'tsconfig.build.json' })
  const output = { chunkFileNames: 'shared/[name].js', sourcemap: true }
  await build.write({ ...output, dir: 'dist/esm', format: 'esm' })
  await build.write({ ...output, dir: 'dist/cjs', format: 'cjs' })
  await build.close()
}

rmSync('dist', { recursive: true, force: true })
if (readFileSync('tsconfig.json', 'utf8').includes('experimentalDecorators')) {
  // The compiler alone knows the types that decorators ask for.
  const commonjs = [
    '--module',
    'CommonJS',
    '--moduleResolution',
    'Bundler',
    '--verbatimModuleSyntax',
    'false',
  ]
  compile('dist/esm')
  compile('dist/cjs', commonjs)
} else {
  compile('dist/esm', ['--emitDeclarationOnly'])
  cpSync('dist/esm', 'dist/cjs', { recursive: true })
  await bundle()
}
// The nearest package.json says what a .js file is; the package's own says "module".
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs", "sideEffects": false }\n')
