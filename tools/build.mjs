// Builds the package in the current folder. The compiler writes the declarations. The bundler writes the code, one file per
// entry, as ES modules and as CommonJS, because Node loads one file faster than a hundred small ones. No code of another
// package goes in.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

import { rolldown } from 'rolldown'

const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const {
  name: own,
  exports,
  imports = {},
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

/**
 * The sources of the package's entries, and of the files that it picks by a condition (`imports`), by the name of the file
 * each becomes.
 */
function entries() {
  const sources = [...Object.values(exports), ...Object.values(imports)].flatMap(entry => {
    const source = entry['halt-source'] ?? []
    return typeof source === 'object' && !Array.isArray(source) ? Object.values(source) : source
  })
  return Object.fromEntries(sources.map(source => [source.replace(/^\.\/src\/|\.ts$/g, ''), source]))
}

/** Whether an import stays one: a condition picks its file, or it is installed with the package. @param {string} name */
function isImported(name) {
  if (name.startsWith('#')) return true
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
  refuseOthers(chunks.flatMap(chunk => (chunk.type === 'chunk' ? chunk.moduleIds : [])))
}

/** Refuses code of another package: dependencies are declared, so that scanners and patches reach them. @param {string[]} files */
function refuseOthers(files) {
  const foreign = files.find(file => file.includes('node_modules'))
  if (foreign !== undefined)
    throw new Error(`${foreign} would be built into ${own}: declare its package in dependencies.`)
}

/** The files that the conditions pick for CommonJS, as seen from dist/cjs. */
function required() {
  const picked = Object.entries(imports).map(([name, { 'halt-source': _, ...conditions }]) => {
    const files = Object.entries(conditions).map(([condition, { require }]) => [
      condition,
      require.replace('./dist/cjs/', './'),
    ])
    return [name, Object.fromEntries(files)]
  })
  return Object.fromEntries(picked)
}

rmSync('dist', { recursive: true, force: true })
if (readFileSync('tsconfig.json', 'utf8').includes('experimentalDecorators')) {
  // The compiler alone knows the types that decorators ask for.
  const asCommonJs = [
    '--module',
    'CommonJS',
    '--moduleResolution',
    'Bundler',
    '--verbatimModuleSyntax',
    'false',
  ]
  compile('dist/esm')
  compile('dist/cjs', asCommonJs)
} else {
  compile('dist/esm', ['--emitDeclarationOnly'])
  cpSync('dist/esm', 'dist/cjs', { recursive: true })
  await bundle()
}
// The nearest package.json says what a .js file is, and which files the conditions pick; the package's own says "module".
const commonjs = { type: 'commonjs', sideEffects: false, imports: required() }
writeFileSync('dist/cjs/package.json', `${JSON.stringify(commonjs)}\n`)
