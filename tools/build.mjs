// Builds the package in the current folder: the code as ES modules and as CommonJS, and the declarations and maps once for both.
//
// Node loads one file faster than a hundred small ones, so the code that several entries share becomes one file. Functions and
// classes keep their names, and maps lead to the lines of the sources, because users meet them in stack traces. Other names and
// spaces go, because both forms together are most of a package. No code of another package goes in.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { rolldown } from 'rolldown'
import { minifySync } from 'rolldown/utils'
import { dts } from 'rolldown-plugin-dts'
import { markPureCalls } from './pure-calls.mjs'
import { alignedTo, placesOf, smallMap, sourceNames } from './source-maps.mjs'
import { joinClosings, tighten } from './tighten.mjs'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const { name: own, version, exports, imports = {}, repository } = manifest
/** The packages that a user's installation brings, and this one. */
const installed = Object.keys({ [own]: '', ...manifest.dependencies, ...manifest.peerDependencies })
const entries = entriesOf(Object.values(exports).flatMap(entry => entry['halt-source'] ?? []))
/** The built files of which a condition picks one (`imports`). */
const picked = Object.values(imports)
  .flatMap(each => filesIn({ ...each, 'halt-source': undefined }))
  .filter(file => !file.includes('/kernel.'))

// Only the compiler knows the types that decorators ask for. So it compiles them, and the bundler reads the result.
const hasDecorators = readFileSync('tsconfig.json', 'utf8').includes('experimentalDecorators')
const COMPILED = 'dist/compiled'

/**
 * The sources of core whose code is one file, `kernel.js`: a limiter without wings, what every adapter shares, and what a store in this
 * process is made of. It is all of core that `@halt/express` loads. Node finds several entries in it, so it exports all their names.
 */
const KERNEL =
  own === '@halt/core'
    ? entriesOf(
        [
          'limiter/index',
          'http/index',
          'store/counters',
          'misuse/index',
          'base/libraries/node',
          'base/suggestion',
        ].map(name => `./src/${name}.ts`),
      )
    : {}

const ADDRESS = `https://raw.githubusercontent.com/halt-limits/halt/refs/tags/${own}@${version}/${repository.directory}/`
// The sources of core are larger than both built forms together.
const hasTexts = own !== '@halt/core'

/**
 * The places of the lines of each built file that has a map of its own, by its path in the package.
 * @type {Map<string, import('./source-maps.mjs').Place[]>}
 */
const built = new Map()

/** Sources by the name of the file that each becomes. @param {string[]} sources @returns {Record<string, string>} */
function entriesOf(sources) {
  return Object.fromEntries(sources.map(source => [source.replace(/^\.\/src\/|\.ts$/g, ''), source]))
}

/** @param {unknown} conditions @returns {string[]} the files of nested conditions, each once */
function filesIn(conditions) {
  if (typeof conditions === 'string') return [conditions]
  return [...new Set(Object.values(conditions ?? {}).flatMap(filesIn))]
}

/** The source of a file that a condition picks. @param {string} file */
function sourceOf(file) {
  return file.replace(/^\.\/dist\/(esm|cjs)\//, './src/').replace(/\.c?js$/, '.ts')
}

/** Whether a file that a condition picks has a source in TypeScript. @param {string} file */
function isCompiled(file) {
  return sourceOf(file).endsWith('.ts') && existsSync(sourceOf(file))
}

/** The source in JavaScript of a file that is shipped as it is. @param {string} file */
function asIs(file) {
  return file.replace('./dist/esm/', './src/')
}

/** True if an import stays an import, because a condition picks its file or it is installed with the package. @param {string} name */
function isImported(name) {
  if (name.startsWith('.') || isAbsolute(name)) return false
  const isInstalled = installed.some(each => name === each || name.startsWith(`${each}/`))
  return isInstalled || name in imports || name.startsWith('node:')
}

/** How sources are read. */
const SOURCES = {
  external: isImported,
  platform: /** @type {const} */ ('neutral'),
  tsconfig: 'tsconfig.build.json',
  plugins: [{ name: 'compiled-sources', load: compiledSource }],
}

/**
 * Bundles the entries in a format.
 * @param {'esm' | 'cjs'} format
 */
async function bundle(format) {
  const isEsm = format === 'esm'
  const extension = isEsm ? 'js' : 'cjs'
  const others = picked.filter(file => file.startsWith(`./dist/${format}/`) && isCompiled(file)).map(sourceOf)
  const input = { ...entries, ...entriesOf(others), ...KERNEL }
  const build = await rolldown({
    ...SOURCES,
    input: hasDecorators ? compile(input) : input,
    transform: isEsm ? {} : { define: { 'import.meta': '{}' } },
  })
  const kernel = await modulesOf(Object.values(KERNEL))
  const { output: files } = await build.write({
    dir: `dist/${format}`,
    format,
    strict: true,
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `[name].${extension}`,
    codeSplitting: {
      groups: [
        { name: 'kernel', test: id => kernel.has(id), priority: 2 },
        // A file of its own, because `delay` loads it when it is needed.
        { name: 'waiting', test: /core\/src\/waiting\//, minShareCount: 2, priority: 1 },
        { name: 'shared', minShareCount: 2 },
      ],
    },
    // Annotations tell bundlers which calls they may drop. The declarations have the comments for users.
    comments: { annotation: true, jsdoc: false, legal: true },
    // Jest runs no import() in CommonJS.
    dynamicImportInCjs: false,
    minifyInternalExports: Object.keys(KERNEL).length === 0,
    sourcemap: true,
    plugins: [finish],
  })
  await build.close()
  refuseOthers(files.flatMap(file => (file.type === 'chunk' ? file.moduleIds : [])))
}

/**
 * The modules that entries load at once.
 * @param {readonly string[]} sources
 */
async function modulesOf(sources) {
  if (sources.length === 0) return new Set()
  const build = await rolldown({ ...SOURCES, input: [...sources] })
  const { output } = await build.generate({ codeSplitting: true })
  await build.close()
  const files = new Map(output.flatMap(file => (file.type === 'chunk' ? [[file.fileName, file]] : [])))
  const reached = new Set(
    output.flatMap(file => (file.type === 'chunk' && file.isEntry ? [file.fileName] : [])),
  )
  for (const name of reached) for (const next of files.get(name)?.imports ?? []) reached.add(next)
  return new Set([...reached].flatMap(name => files.get(name)?.moduleIds ?? []))
}

/** Bundles the declarations of the entries. Those of the ES modules refer to those of CommonJS. */
async function bundleTypes() {
  const build = await rolldown({
    input: entries,
    external: isImported,
    tsconfig: 'tsconfig.build.json',
    plugins: [
      commentsBesideClasses,
      dts({ oxc: { stripInternal: true }, emitDtsOnly: true, tsconfig: false }),
      comments,
      flat,
    ],
  })
  await build.write({
    dir: 'dist/cjs',
    format: 'esm',
    entryFileNames: '[name].cts',
    chunkFileNames: '[name].cts',
    codeSplitting: { groups: [{ name: 'shared.d', minShareCount: 2 }] },
  })
  await build.close()
  for (const name of Object.keys(entries)) {
    const file = join('dist/esm', `${name}.d.ts`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `export * from '${path(file, join('dist/cjs', `${name}.cjs`))}'\n`)
  }
}

/** The path from a file to another, as an import has it. @param {string} from @param {string} to */
function path(from, to) {
  return relative(dirname(from), to).replaceAll('\\', '/')
}

/** Compiles the sources. Gives the entries in the compiled files. @param {Record<string, string>} input */
function compile(input) {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
  const unwanted = ['declaration', 'declarationMap', 'allowJs']
  const options = [
    '--outDir',
    COMPILED,
    '--inlineSources',
    ...unwanted.flatMap(name => [`--${name}`, 'false']),
  ]
  const args = [tsc, '-p', 'tsconfig.build.json', ...options]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
  return Object.fromEntries(Object.keys(input).map(name => [name, resolve(COMPILED, `${name}.js`)]))
}

/** @param {string} file */
function compiledSource(file) {
  if (!file.startsWith(resolve(COMPILED))) return
  return { code: readFileSync(file, 'utf8'), map: readFileSync(`${file}.map`, 'utf8') }
}

// Editors show the comment of a class only if no decorator stands between them once declarations have lost their decorators.
const commentsBesideClasses = {
  name: 'comments-beside-classes',
  transform: {
    order: /** @type {const} */ ('pre'),
    /** @param {string} code */
    handler: code =>
      hasDecorators
        ? code.replace(
            /^(\/\*\*(?:(?!\*\/)[^])*\*\/\n)((?:@\w+\(.*\)\n)+)(?=export (?:abstract )?class)/gm,
            '$2$1',
          )
        : undefined,
  },
}

const comments = {
  name: 'comments',
  /** @param {string} code */
  renderChunk: code =>
    code
      // The declarations of what is not exported are dropped, but their comments stay, before the next declaration.
      .replace(/\/\*\*(?:(?!\*\/)[^])*\*\/\s*(?=\/\*\*)/g, '')
      // In literals of types a comment is printed on the line of the member before. Editors take it for a comment of that.
      .replace(/([;{])[ \t]*(?=\/\*\*)/g, '$1\n'),
}

// People read declarations in an editor, which prints them anew.
const flat = {
  name: 'flat',
  /** @param {string} code */
  renderChunk: code => code.replace(/^ +(?=[^ */])/gm, ''),
}

const KEPT = { function: true, class: true }
const PRINT = {
  mangle: { toplevel: true, keepNames: KEPT },
  // Nothing is dropped, so that both forms have the same lines.
  compress: { target: 'es2022', keepNames: KEPT, unused: false },
  // Stack traces need the lines.
  codegen: { removeWhitespace: false },
  sourcemap: true,
}

/** The names in sources for what only the host has. @type {Record<string, string>} */
const HOST = { hostRequire: 'require', hostImport: 'import' }

/** Prints the built files anew, without the names and the spaces that nobody needs. */
const finish = {
  name: 'finish',
  /** @param {{ format: string, dir: string }} options @param {Record<string, any>} files */
  generateBundle({ format, dir }, files) {
    dropKernelEntries(files)
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue
      // V8 keeps a text that is not ASCII in twice the memory, and takes longer to load it.
      const ascii = file.code
        .replace(/[^\0-\x7f]/g, escaped)
        .replace(/\bhost(Require|Import)\b/g, (/** @type {string} */ name) => HOST[name] ?? name)
      const { code, map, errors } = minifySync(file.fileName, ascii, { ...PRINT, module: format === 'es' })
      if (errors.length > 0 || !map) throw new Error(`${file.fileName}: ${errors[0]?.message}`)
      const text = format === 'es' ? tighten(markPureCalls(code)) : withPlainExports(tighten(code))
      file.code = withMap(file.fileName, { code, text, map }, `${dir}/${file.fileName}`, files)
    }
  },
}

/** The files that package.json names. */
const named = new Set(filesIn({ exports, imports }))

/**
 * Drops the files that would only export what kernel.js exports by the same names.
 * @param {Record<string, any>} files
 */
function dropKernelEntries(files) {
  for (const [name, file] of Object.entries(files)) {
    if (!Object.hasOwn(KERNEL, file.name) || [...named].some(each => each.endsWith(`/${name}`))) continue
    const all = files[name.replace(/.*\./, 'kernel.')].exports
    const lost = file.exports.filter((/** @type {string} */ each) => !all.includes(each))
    if (lost.length > 0) throw new Error(`kernel.js does not export ${lost.join(', ')} of ${file.name}.`)
    delete files[name]
    delete files[`${name}.map`]
  }
}

/**
 * The text of a file with the address of its map. A CommonJS file uses that of its ES module if both have the same lines.
 * @param {string} name
 * @param {{ code: string, text: string, map: { mappings: string } }} printed
 * @param {string} file the path of the file in the package
 * @param {Record<string, any>} files the files of the bundle, of which its map is changed or removed
 */
function withMap(name, { code, text, map }, file, files) {
  const own = `${name}.map`
  // A file that only exports from others has no map.
  if (files[own] === undefined) return text
  const bundled = JSON.parse(files[own].source)
  const all = placesOf(bundled, map, code, sourceNames(process.cwd(), file))
  const { code: short, places } = joinClosings(text, all)
  const twin = file.replace(/^dist\/cjs\/(.*)\.cjs$/, 'dist/esm/$1.js')
  const aligned = built.has(twin) ? alignedTo({ code: short, places }, built.get(twin) ?? []) : undefined
  if (aligned !== undefined) {
    delete files[own]
    return pointingTo(`${path(file, twin)}.map`, aligned)
  }
  built.set(file, places)
  files[own].source = smallMap(name, places, {
    address: ADDRESS,
    texts: hasTexts ? textsOf(bundled, file) : undefined,
  })
  return pointingTo(path(file, `${file}.map`), short)
}

/**
 * Exports by assignments. The bundler writes getters, for bindings that change later; a rule of the linter forbids such exports.
 * @param {string} code CommonJS
 */
function withPlainExports(code) {
  const getter =
    /Object\.defineProperty\(exports,"(\w+)",\{\nenumerable:!0,\nget:function\(\)\{\nreturn ([\w$]+);\n\}\n\}\)/g
  return code.replace(getter, 'exports.$1=$2')
}

/** @param {string} map the path of the map @param {string} code */
function pointingTo(map, code) {
  return `${code.trimEnd().replace(/\n\/\/# sourceMappingURL=.*$/, '')}\n//# sourceMappingURL=${map}\n`
}

/** The texts of the sources of a map, by name. @param {{ sources: string[], sourcesContent: string[] }} map @param {string} file */
function textsOf({ sources, sourcesContent }, file) {
  const nameOf = sourceNames(process.cwd(), file)
  return Object.fromEntries(sources.map((source, i) => [nameOf(source), sourcesContent[i] ?? '']))
}

/** @param {string} unit a UTF-16 unit of a string or a template */
function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Refuses code of another package: dependencies are declared, so that scanners and patches reach them. @param {string[]} files */
function refuseOthers(files) {
  const foreign = files.find(file => file.includes('node_modules'))
  if (foreign !== undefined)
    throw new Error(`${foreign} would be built into ${own}: declare its package in dependencies.`)
}

rmSync('dist', { recursive: true, force: true })
await bundleTypes()
await bundle('esm')
await bundle('cjs')
// The sources in JavaScript are shipped as they are.
for (const file of picked.filter(file => !isCompiled(file))) cpSync(asIs(file), file)
rmSync(COMPILED, { recursive: true, force: true })
