import { describe, expect, it } from 'vitest'

import { applyHeaders, type HeaderPort } from '../../src/http/index.ts'

type Response = Map<string, string>

/** A response that already has some headers. */
function response(headers: Record<string, string> = {}): Response {
  return new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

const port: HeaderPort<Response> = {
  get: (target, name) => target.get(name.toLowerCase()),
  set: (target, name, value) => void target.set(name.toLowerCase(), value),
  remove: (target, name) => void target.delete(name.toLowerCase()),
}

const ours = { 'RateLimit-Limit': '5', 'Retry-After': '9', 'Cache-Control': 'no-store' }
const CORS = { 'Access-Control-Allow-Origin': '*' }
const exposed = (
  headers: Record<string, string>,
  given: Record<string, string> = ours,
): string | undefined => {
  const target = response(headers)
  applyHeaders(given, target, port)
  return port.get(target, 'Access-Control-Expose-Headers')
}

describe('applyHeaders', () => {
  it('applyHeaders sets only the headers without CORS', () => {
    const target = response()
    applyHeaders(ours, target, port)
    expect(Object.fromEntries(target)).toEqual({
      'ratelimit-limit': '5',
      'retry-after': '9',
      'cache-control': 'no-store',
    })
  })

  it('applyHeaders exposes the headers to scripts with CORS', () => {
    expect(exposed(CORS)).toBe('RateLimit-Limit, Retry-After')
  })

  it('applyHeaders appends each header once to the exposed ones, in any case', () => {
    expect(exposed({ ...CORS, 'Access-Control-Expose-Headers': 'ETag' })).toBe(
      'ETag, RateLimit-Limit, Retry-After',
    )
    expect(exposed({ ...CORS, 'Access-Control-Expose-Headers': 'retry-after,ratelimit-limit' })).toBe(
      'retry-after,ratelimit-limit',
    )
    expect(exposed({ ...CORS, 'Access-Control-Expose-Headers': '*' })).toBe('*')
    const signedIn = { ...CORS, 'Access-Control-Allow-Credentials': 'true' }
    expect(exposed({ ...signedIn, 'Access-Control-Expose-Headers': '*' })).toBe(
      '*, RateLimit-Limit, Retry-After',
    )
  })

  it('applyHeaders does nothing for a request without headers', () => {
    expect(exposed(CORS, {})).toBeUndefined()
  })
})
