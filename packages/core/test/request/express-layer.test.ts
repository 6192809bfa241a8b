import { describe, expect, it } from 'vitest'

import { type Layer, patternOf } from '../../src/request/express-mount.ts'

/** A layer of the router of Express 5.1, which keeps no pattern: it is mounted on `/t/:tenant`, and decodes what it takes. */
function layer(): { readonly mounted: Layer; readonly asked: () => number } {
  let asked = 0
  const matcher = (path: string): { path: string } | false => {
    asked++
    const match = /^\/t\/([^/]+)(?=\/|$)/i.exec(path)
    if (match === null) return false
    decodeURIComponent(match[1] as string)
    return { path: match[0] }
  }
  return { mounted: { matchers: [matcher] }, asked: () => asked }
}

describe('the pattern of a mount whose router does not keep it', () => {
  it.each([
    ['a letter', 'a'],
    ['many letters', 'a'.repeat(16_000)],
    ['an escape', '%41'],
    ['a character of four escapes', '%F0%9F%98%80'],
    ['many escapes', '%41'.repeat(5000)],
    ['many characters of four escapes', '%F0%9F%98%80'.repeat(1300)],
    ['letters among escapes', 'x%F0%9F%98%80-%41'.repeat(800)],
    ['letters between escapes that are longer than a block', `x${'%41'.repeat(25)}`.repeat(200)],
  ])('is found from %s as a value, and the router is asked a few times', (_what, value) => {
    const { mounted, asked } = layer()
    expect(patternOf(mounted, `/T/${value}`)).toBe('/t/:')
    expect(asked()).toBeLessThan(3000)
  })
})
