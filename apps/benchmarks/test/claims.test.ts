import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { boundOf, type Claim, CLAIMS, holds } from '../src/claims/pages.ts'

describe('the claims', () => {
  it.each(Object.entries(CLAIMS))('the pages print the claim %s, and the same number', (_name, claim) => {
    expect(boundOf(claim)).toBeGreaterThan(0)
  })

  it('every number of the first page of the site is a claim', () => {
    const home = readFileSync(new URL('../../site/home.md', import.meta.url), 'utf8')
    const numbers = home.match(/<dt>[^<]*\d[^<]*<\/dt><dd>/g) ?? []
    const patterns = Object.values(CLAIMS)
      .flatMap((claim: Claim) => claim.printed)
      .filter(({ page }) => page === 'apps/site/home.md')
    const found = patterns.map(({ pattern }) => pattern.exec(home)?.[0] ?? '')
    expect(numbers).toHaveLength(3)
    for (const number of numbers)
      expect(
        found.some(text => text.startsWith(number)),
        number,
      ).toBe(true)
  })

  it('a page that no longer prints a number is an error', () => {
    const claim: Claim = { ...CLAIMS.trip, printed: [{ page: 'README.md', pattern: /decides 99 times/ }] }
    expect(() => boundOf(claim)).toThrow('README.md does not print')
  })

  it('pages that print other numbers are an error', () => {
    const printed = [...CLAIMS.hung.printed, { page: 'README.md', pattern: /with (\d+) checks in flight/i }]
    expect(() => boundOf({ ...CLAIMS.hung, printed })).toThrow('The pages print other numbers')
  })

  it.each([
    ['most', 5, 5, true],
    ['most', 5, 5.1, false],
    ['least', 5, 5, true],
    ['least', 5, 4.9, false],
    ['same', 4, 4, true],
    ['same', 4, 3, false],
    ['most', 5, Number.NaN, false],
  ] as const)('a claim of at %s %d with %d measured holds: %s', (rule, bound, measured, expected) => {
    expect(holds({ ...CLAIMS.trip, rule }, bound, measured)).toBe(expected)
  })
})
