import { describe, HaltError } from '../base/errors.ts'
import type { Address } from './address.ts'
import { type Networks, parseNetworks } from './networks.ts'
import type { RequestView } from './view.ts'

/** The paths and addresses that a policy does not count. */
export interface Exemptions {
  /** The entry that covers a path; undefined if none does. */
  path(path: string): string | undefined
  /** Whether an entry covers an address. */
  address(address: Address | undefined): boolean
}

// A path is never exempt if a router may read it as another path.
const AMBIGUOUS = /%|\.\.|\/\/|;|\\/

/** The default paths that load balancers and orchestrators request. */
const HEALTH_PATHS: readonly string[] = Object.freeze(['/health', '/ping', '/ready', '/healthz', '/livez'])

/** Compiles a list of paths, addresses and CIDRs. @throws HaltError `HALT_E_EXEMPTION` */
export function compileExemptions(entries: readonly string[]): Exemptions {
  const paths: string[] = []
  const networks: string[] = []
  for (const entry of entries as unknown[]) {
    if (typeof entry !== 'string' || entry === '')
      fail(`exemptions holds ${describe(entry)}.`, 'Give non-empty strings.')
    if (entry.startsWith('/')) paths.push(checkPath(entry))
    else networks.push(entry)
  }
  const addresses: Networks | undefined = networks.length
    ? parseNetworks(networks, 'HALT_E_EXEMPTION', 'exemptions')
    : undefined
  const entryOver = pathFinder(paths)
  return {
    path: path => (isPlain(path) ? entryOver(path) : undefined),
    address: address => address !== undefined && addresses !== undefined && addresses.contains(address),
  }
}

/**
 * Compiles the limiter's health checks: GET and HEAD requests of exactly these paths.
 *
 * @throws HaltError `HALT_E_EXEMPTION`
 */
export function compileHealthChecks(
  option: boolean | readonly string[] | undefined,
): (view: Pick<RequestView, 'method' | 'path' | 'target'>) => boolean {
  if (option === false) return () => false
  if (option !== undefined && option !== true && !Array.isArray(option)) {
    fail(`exemptHealthChecks is ${describe(option)}.`, 'Give true, false, or a list of paths.')
  }
  const paths = new Set(Array.isArray(option) ? (option as string[]).map(checkPath) : HEALTH_PATHS)
  // The first two characters tell for nearly every request that it is not exempt, before its path is cut from its target.
  const beginnings = new Uint8Array(128)
  for (const path of paths) beginnings[path.charCodeAt(1) & 127] = 1
  // The length is tested first, because a path that was just cut from its target has no hash yet.
  const lengths = new Set([...paths].map(path => path.length))
  return view => {
    const { target } = view
    if (
      target !== undefined &&
      target.charCodeAt(0) === SLASH &&
      beginnings[target.charCodeAt(1) & 127] !== 1
    )
      return false
    const { path } = view
    return lengths.has(path.length) && paths.has(path) && (view.method === 'GET' || view.method === 'HEAD')
  }
}

const SLASH = 47

/**
 * Makes the function that finds the shortest of some paths that covers a path: it is that path, or a folder above it. Its time
 * depends on the length of the path alone, so a list may be long.
 */
function pathFinder(paths: readonly string[]): (path: string) => string | undefined {
  const entries = new Set(paths)
  const lengths = new Set(paths.map(({ length }) => length))
  const longest = Math.max(0, ...lengths)
  const find = (path: string, length: number): string | undefined => {
    if (!lengths.has(length)) return undefined
    const start = path.slice(0, length)
    return entries.has(start) ? start : undefined
  }
  return path => {
    let slash = path.indexOf('/', 1)
    while (slash > 0 && slash <= longest) {
      const found = find(path, slash) ?? find(path, slash + 1)
      if (found !== undefined) return found
      slash = path.indexOf('/', slash + 1)
    }
    return find(path, path.length)
  }
}

function isPlain(path: string): boolean {
  return !AMBIGUOUS.test(path)
}

function checkPath(path: unknown): string {
  if (typeof path === 'string' && path.includes('*'))
    fail(`${describe(path)} is a pattern.`, 'Give "/admin", which covers all paths below it.')
  if (typeof path === 'string' && path.startsWith('/') && isPlain(path) && path !== '/') return path
  if (path === '/')
    fail('exemptions holds "/", which covers every path.', 'Name the paths, or do not mount the limiter.')
  return fail(
    `${describe(path)} is not a plain path.`,
    'Give a path that begins with "/", without "%", "..", "//", ";" or "\\".',
  )
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_EXEMPTION', message, fix)
}
