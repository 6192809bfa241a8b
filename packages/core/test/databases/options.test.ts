import { expect, it } from 'vitest'

import { casStore, txStore } from '../../src/databases/index.ts'
import { versioned } from '../store/versioned.ts'
import { table } from './table.ts'

it.each([0, -1, 1.5, Number.NaN, '3', null])('a number of things that is %j is refused', value => {
  const mistake = expect.objectContaining({ code: 'HALT_E_STORE_OPTION' })
  expect(() => txStore(table(), { transactions: value as never })).toThrow(mistake)
  expect(() => casStore(versioned(), { mostKeys: value as never })).toThrow(mistake)
  expect(() => casStore(versioned(), { attempts: value as never })).toThrow(mistake)
})
