import { describe, expect, it } from 'vitest'

import { HaltError } from '../../src/index.ts'

describe('HaltError', () => {
  it('HaltError puts the code, the mistake, the fix and the page into one message', () => {
    const error = new HaltError('HALT_E_LIMIT', 'limit is NaN.', 'Give a whole number.', { cause: 'env' })
    expect(error.message).toBe(
      'HALT_E_LIMIT: limit is NaN. Give a whole number. ' +
        '(https://github.com/halt-limits/halt/blob/main/docs/errors/HALT_E_LIMIT.md)',
    )
    expect(error).toMatchObject({
      name: 'HaltError',
      code: 'HALT_E_LIMIT',
      fix: 'Give a whole number.',
      cause: 'env',
    })
    expect(error).toBeInstanceOf(Error)
  })
})
