import { describe, expect, it } from 'vitest'

import { readId } from '../../src/base/callbacks.ts'

describe('readId', () => {
  it('readId reads text and numbers, including 0, and nothing else', () => {
    expect([0, '0', 42, -1, 1.5, 7n, ' a '].map(readId)).toEqual(['0', '0', '42', '-1', '1.5', '7', ' a '])
    const nothing = [
      undefined,
      null,
      '',
      ' ',
      Number.NaN,
      Infinity,
      true,
      {},
      [],
      Symbol('x'),
      () => 'x',
      new Date(0),
    ]
    for (const value of nothing) expect(readId(value)).toBeUndefined()
  })
})
