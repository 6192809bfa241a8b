import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The exports of a module of the application. */
export type Exports = Readonly<Record<string, unknown>>

/** A module of the application that cannot be loaded: why, and what the user can do about it. */
export class ImportFailure extends Error {
  /** The fix for the user; undefined if the module itself is wrong. */
  readonly fix: string | undefined

  constructor(message: string, fix: string | undefined, cause: unknown) {
    super(message, { cause })
    this.fix = fix
  }
}

/** A package that runs TypeScript. */
interface Loader {
  readonly name: string
  /** @param require finds packages as the module does @throws if the project does not have the package */
  readonly find: (require: NodeJS.Require) => (path: string) => unknown
}

/** Loaders of TypeScript, the ones that understand most first. None of them changes how this process loads other modules. */
const LOADERS: readonly Loader[] = [
  {
    name: 'tsx',
    find: require => {
      // Its CommonJS entry fails on Node 20, and `require` finds no other one.
      const manifest = require.resolve('tsx/package.json')
      const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as TsxManifest
      const entry = pathToFileURL(join(dirname(manifest), exports['./esm/api'].import.default)).href
      return async path => {
        const { tsImport } = (await import(entry)) as TsxApi
        const url = pathToFileURL(path).href
        return tsImport(url, url)
      }
    },
  },
  {
    name: 'jiti',
    find: require => {
      const entry = require('jiti') as JitiOne & { readonly createJiti?: JitiTwo }
      return path => entry.createJiti?.(path).import(path) ?? entry(path)(path)
    },
  },
]

interface TsxManifest {
  readonly exports: { readonly './esm/api': { readonly import: { readonly default: string } } }
}
interface TsxApi {
  readonly tsImport: (url: string, from: string) => Promise<unknown>
}
type JitiOne = (from: string) => (path: string) => unknown
type JitiTwo = (from: string) => { readonly import: (path: string) => Promise<unknown> }

const TSX = 'npm install --save-dev tsx'

/**
 * Imports a module of the application, JavaScript or TypeScript. Where Node cannot run its TypeScript, a loader of the project does.
 *
 * @param file relative to `cwd`
 * @throws ImportFailure
 */
export async function importModule(file: string, cwd: string): Promise<Exports> {
  const path = resolve(cwd, file)
  try {
    return (await import(pathToFileURL(path).href)) as Exports
  } catch (error) {
    if (!isOfTypeScript(error)) throw new ImportFailure(messageOf(error), undefined, error)
    return importByLoader(path, cwd, error)
  }
}

async function importByLoader(path: string, cwd: string, failed: unknown): Promise<Exports> {
  const loader = loaderOf(path, cwd)
  if (loader === undefined) throw withoutLoader(failed)
  try {
    return (await loader.load(path)) as Exports
  } catch (error) {
    const isSure = loader.name === 'tsx' || codeOf(error) === undefined
    throw new ImportFailure(`${messageOf(error)} (by ${loader.name})`, isSure ? undefined : FIND, error)
  }
}

const FIND = `If TypeScript finds all that it imports, install tsx: ${TSX}.`

function withoutLoader(failed: unknown): ImportFailure {
  if (isUnknownEnding(failed)) {
    const names = LOADERS.map(({ name }) => name).join(' nor ')
    return new ImportFailure(
      `Node ${process.versions.node} does not run TypeScript, and the project has neither ${names}`,
      `Install tsx in the project: ${TSX}. Or use Node 22.18 or newer.`,
      failed,
    )
  }
  const isSyntax = codeOf(failed) === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  const fix = isSyntax ? `Write it without, or install tsx: ${TSX}.` : FIND
  return new ImportFailure(messageOf(failed), fix, failed)
}

/** The first loader that the project of the module has, or that of the folder in which the command runs. */
function loaderOf(
  path: string,
  cwd: string,
): { readonly name: string; readonly load: (path: string) => unknown } | undefined {
  for (const from of [path, join(cwd, 'halt.js')])
    for (const { name, find } of LOADERS)
      try {
        return { name, load: find(createRequire(from)) }
      } catch {
        // The project does not have it.
      }
  return undefined
}

/** Whether a loader may do better: it knows the endings of TypeScript, its paths and imports without endings, and its enums. */
function isOfTypeScript(error: unknown): boolean {
  const code = codeOf(error)
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' || isUnknownEnding(error)) return true
  const isLost = code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_UNSUPPORTED_DIR_IMPORT'
  return isLost && /imported from .*\.[cm]?tsx?$/.test(messageOf(error))
}

/** Whether Node met TypeScript and does not know it. The module may be JavaScript that imports it. */
function isUnknownEnding(error: unknown): boolean {
  return codeOf(error) === 'ERR_UNKNOWN_FILE_EXTENSION' && /"\.[cm]?tsx?"/.test(messageOf(error))
}

function codeOf(error: unknown): string | undefined {
  return (error as { readonly code?: string } | null | undefined)?.code
}

/** The text of an error, in one line. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .replace(/\nRequire stack:[^]*/, '')
    .replaceAll(/:?\s*\n\s*/g, ': ')
    .replace(/\.$/, '')
}
