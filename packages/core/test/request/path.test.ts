import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { normalizePath } from '../../src/request/path.ts'

describe('a path without a matched route', () => {
  it.each([
    '/login',
    '/LOGIN',
    '/login/',
    '//login',
    '/%6cogin',
    '/./login',
    '/a/../login',
    '/login;x',
    '\\login',
  ])('is one place, spelled as %s', path => expect(normalizePath(path)).toBe('/login'))

  it('is short and plain whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), path => {
        const normal = normalizePath(path)
        expect(normal).toMatch(/^\/[!-~]*$/)
        expect(normal.length).toBeLessThanOrEqual(200)
      }),
    )
  })
})
