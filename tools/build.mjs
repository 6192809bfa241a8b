// Builds the package in the current folder: declarations by the compiler, code in one file an entry by the bundler, as
// ES modules and as CommonJS. One file, since loading a hundred small ones takes ten times as long as running them; what
// it uses of a development dependency goes in too, for the same reason, with that package's licence beside it.
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
/** What a user's installation brings beside this package. */
const installed = Object.keys({ [own]: '', ...dependencies, ...peerDependencies })

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

/** Whether an import stays one: of the package's other entries, or of what is installed with it. @param {string} name */
function isImported(name) {
  if (name.startsWith('.') || isAbsolute(name)) return false
  return name.startsWith('node:') || installed.some(each => name === each || name.startsWith(`${each}/`))
}

/** Bundles the entries; what they share goes to files of its own. */
async function bundle() {
  const build = await rolldown({
    input: entries(),
    external: isImported,
    tsconfig: 'tsconfig.build.json',
    // Of what goes in, the files for any runtime, not those for Node alone.
    platform: 'neutral',
    resolve: { mainFields: ['module', 'main'] },
  })
  const output = { chunkFileNames: 'shared/[name].js', sourcemap: true }
  const { output: chunks } = await build.write({ ...output, dir: 'dist/esm', format: 'esm' })
  await build.write({ ...output, dir: 'dist/cjs', format: 'cjs' })
  await build.close()
  credit(chunks.flatMap(chunk => (chunk.type === 'chunk' ? chunk.moduleIds : [])))
}

/** Writes the licences of the packages whose files went in. @param {string[]} files */
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
