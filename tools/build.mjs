// Builds the package in the current folder. The compiler writes the declarations. The bundler writes the code, one file per
// entry, as ES modules and as CommonJS, because Node loads one file faster than a hundred small ones. No code of another
// package goes in.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

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

/** True if an import stays an import, because a condition picks its file or it is installed with the package. @param {string} name */
function isImported(name) {
  if (name.startsWith('.') || isAbsolute(name)) return false
  return name.startsWith('node:') || installed.some(each => name === each || name.startsWith(`${each}/`))
}

const input = { input: entries(), external: isImported, tsconfig: 'tsconfig.build.json' }

/**
 * Bundles the entries in a format; what they share goes to files of their own. White space and comments are in the maps.
 * @param {'esm' | 'cjs'} format
 */
async function bundle(format) {
  const build = await rolldown({
    ...input,
    external: name => isImported(name) || (format === 'esm' && name in imports),
    platform: 'neutral',
    plugins: format === 'cjs' ? [pickedForNode, withoutSources] : [],
  })
  const { output: chunks } = await build.write({
    dir: `dist/${format}`,
    format,
    chunkFileNames: 'shared/[name].js',
    sourcemap: true,
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  })
  await build.close()
  refuseOthers(chunks.flatMap(chunk => (chunk.type === 'chunk' ? chunk.moduleIds : [])))
}

/** Bundles the declarations of the entries. Both formats have their own: a file speaks for the format of its folder. */
async function bundleTypes() {
  const build = await rolldown({
    ...input,
    plugins: [dts({ oxc: true, emitDtsOnly: true, tsconfig: false })],
  })
  await build.write({
    dir: 'dist/esm',
    format: 'esm',
    entryFileNames: '[name].ts',
    chunkFileNames: 'shared/[name].ts',
  })
  await build.close()
  cpSync('dist/esm', 'dist/cjs', { recursive: true })
}

// A condition picks files for ES modules alone. CommonJS is for Node, and the folder's own package.json would hide `imports`.
const pickedForNode = {
  name: 'picked-for-node',
  /** @param {string} name */
  resolveId: name => (name in imports ? resolve(imports[name]['halt-source'].node) : undefined),
}

// Only the maps of the ES modules hold the sources. The maps of CommonJS name the same sources without their text.
const withoutSources = {
  name: 'without-sources',
  /** @param {unknown} _options @param {Record<string, any>} files */
  generateBundle(_options, files) {
    for (const file of Object.values(files)) {
      if (!file.fileName.endsWith('.map')) continue
      const { sourcesContent: _, ...map } = JSON.parse(file.source)
      file.source = JSON.stringify(map)
    }
  },
}

/** Refuses code of another package: dependencies are declared, so that scanners and patches reach them. @param {string[]} files */
function refuseOthers(files) {
  const foreign = files.find(file => file.includes('node_modules'))
  if (foreign !== undefined)
    throw new Error(`${foreign} would be built into ${own}: declare its package in dependencies.`)
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
  compile('dist/esm', ['--inlineSources'])
  compile('dist/cjs', asCommonJs)
} else {
  await bundleTypes()
  await bundle('esm')
  await bundle('cjs')
}
// The nearest package.json says what a .js file is; the package's own says "module".
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs", "sideEffects": false }\n')
