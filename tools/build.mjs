// Builds the package in the current folder, as ES modules and as CommonJS. The compiler writes the declarations, the bundler
// writes one file per entry, because loading a hundred small files takes ten times as long as running them. For the same
// reason it builds in the development dependencies that the package imports, and adds their licences.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { rolldown } from 'rolldown'

const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const {
  name: own,
  exports,
  dependencies,
  peerDependencies,
} = JSON.parse(readFileSync('package.json', 'utf8'))
/** The packages that are installed with this one. */
const installed = Object.keys({ [own]: '', ...dependencies, ...peerDependencies })

/** Compiles the sources to a folder. @param {string} outDir @param {string[]} options */
function compile(outDir, options = []) {
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir, ...options]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** The sources of the package's entries, by the name of the file that each becomes. */
function entries() {
  const sources = Object.values(exports).flatMap(entry => entry['halt-source'] ?? [])
  return Object.fromEntries(sources.map(source => [source.replace(/^\.\/src\/|\.ts$/g, ''), source]))
}

/** True if an import stays an import, because it is another entry of the package or is installed with it. @param {string} name */
function isImported(name) {
  if (name.startsWith('.') || isAbsolute(name)) return false
  return name.startsWith('node:') || installed.some(each => name === each || name.startsWith(`${each}/`))
}

/** Bundles the entries. Code that entries share goes to `shared/`. */
async function bundle() {
  const build = await rolldown({
    input: entries(),
    external: isImported,
    tsconfig: 'tsconfig.build.json',
    // Takes a dependency's files for every runtime, not those for Node alone.
    platform: 'neutral',
    resolve: { mainFields: ['module', 'main'] },
  })
  const output = { chunkFileNames: 'shared/[name].js', sourcemap: true }
  const { output: chunks } = await build.write({ ...output, dir: 'dist/esm', format: 'esm' })
  await build.write({ ...output, dir: 'dist/cjs', format: 'cjs' })
  await build.close()
  credit(chunks.flatMap(chunk => (chunk.type === 'chunk' ? chunk.moduleIds : [])))
}

/** Writes the licences of the packages whose files were built in. @param {string[]} files */
function credit(files) {
  const inside = /^(.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+))[\\/]/
  const folders = new Set(files.flatMap(file => inside.exec(file)?.[1] ?? []))
  if (folders.size === 0) return
  const notices = [...folders].map(folder => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`
  })
  writeFileSync('dist/THIRD-PARTY-LICENSES.txt', notices.sort().join('\n---\n\n'))
}

rmSync('dist', { recursive: true, force: true })
if (readFileSync('tsconfig.json', 'utf8').includes('experimentalDecorators')) {
  // Only the compiler knows the types that decorator metadata needs.
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
// Node reads the nearest package.json to tell how a .js file is written. The package's own says "module".
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs", "sideEffects": false }\n')
