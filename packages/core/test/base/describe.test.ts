import { describe, expect, it } from 'vitest'

import { describe as show } from '../../src/base/errors.ts'

describe('a value in a message', () => {
  it('a message shows a value in few characters, never as a dump', () => {
    expect(show('x'.repeat(1000)).length).toBeLessThan(50)
    expect(show({ password: 'secret' })).toBe('an object')
    expect(show(['secret'])).toBe('an array')
    expect(show(() => 'secret')).toBe('a function')
    expect(show(Symbol('s'))).toBe('Symbol(s)')
    expect(show('a\r\nb')).toBe(String.raw`"a\r\nb"`)
    expect([show(undefined), show(null), show(Number.NaN), show(5n)]).toEqual([
      'undefined',
      'null',
      'NaN',
      '5',
    ])
  })
})
