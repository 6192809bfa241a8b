import { pathOf } from '@halt/core/http'

// A path that a router may read as another path is never exempt.
const AMBIGUOUS = /%|\.\.|\/\/|;|\\/
const SLASH = 47
const QUESTION = 63
const HASH = 35
const LONGEST_SEGMENT = 24

/** Makes a test for requests that always pass: health checks, and the paths that are exempt. */
export function exemptionOf(
  exemptions: readonly string[],
  healthChecks: readonly string[],
): (method: string | undefined, target: string) => boolean {
  const checks = new Set(healthChecks)
  const folders = exemptions.map(path => (path.endsWith('/') ? path : `${path}/`))
  // The second character tells for nearly every request that it is not exempt, before its path is cut from its target.
  const beginnings = new Uint8Array(128)
  for (const path of [...checks, ...exemptions]) beginnings[path.charCodeAt(1) & 127] = 1
  return (method, target) => {
    if (target.charCodeAt(0) === SLASH && beginnings[target.charCodeAt(1) & 127] !== 1) return false
    const path = pathOf(target)
    if (checks.has(path) && (method === 'GET' || method === 'HEAD')) return true
    if (folders.length === 0 || AMBIGUOUS.test(path)) return false
    return folders.some(folder => path.startsWith(folder) || path === folder.slice(0, -1))
  }
}

/**
 * Names the route of a request where no framework has matched one: the method, and the first two segments of the path. A segment
 * with a digit, or a long one, is an id: `GET /users/:id`.
 */
export function routeOf(method: string | undefined, target: string): string {
  if (target.charCodeAt(0) !== SLASH) return `${method} *`
  const first = segmentEnd(target, 1)
  const one = segment(target, 0, first)
  if (target.charCodeAt(first) !== SLASH) return `${method} ${one}`
  const second = segmentEnd(target, first + 1)
  return `${method} ${one}${segment(target, first, second)}`
}

function segmentEnd(target: string, from: number): number {
  let at = from
  for (; at < target.length; at++) {
    const code = target.charCodeAt(at)
    if (code === SLASH || code === QUESTION || code === HASH) break
  }
  return at
}

function segment(target: string, from: number, to: number): string {
  if (to - from > LONGEST_SEGMENT) return '/:id'
  for (let at = from; at < to; at++) {
    const code = target.charCodeAt(at)
    if (code >= 48 && code <= 57) return '/:id'
  }
  return target.slice(from, to)
}
