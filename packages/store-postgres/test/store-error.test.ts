import { expect, it } from 'vitest'

import { toStoreError } from '../src/store-error.ts'

const error = (code: string, message = 'm'): Error => Object.assign(new Error(message), { code })

it.each([
  ['25006', 'READONLY', 'unavailable'],
  ['26000', 'POOLER', 'misconfigured'],
  ['28P01', 'AUTH', 'misconfigured'],
  ['40001', 'MISCONFIGURED', 'misconfigured'],
  ['42501', 'PERMISSION', 'misconfigured'],
  ['42883', 'SCHEMA', 'misconfigured'],
  ['42P01', 'SCHEMA', 'misconfigured'],
  ['3F000', 'SCHEMA', 'misconfigured'],
  ['53100', 'OOM', 'full'],
  ['53300', 'UNAVAILABLE', 'unavailable'],
  ['55P03', 'TIMEOUT', 'timeout'],
  ['57014', 'TIMEOUT', 'timeout'],
  ['22012', 'SCRIPT', 'script'],
])('the SQLSTATE %s is HALT_E_STORE_%s, and tells that nothing was applied', (state, code, failure) => {
  expect(toStoreError(error(state))).toMatchObject({ code: `HALT_E_STORE_${code}`, failure, reply: state })
})

it.each(['57P01', '08006', 'ECONNREFUSED', 'EPIPE'])('%s leaves open whether a charge was applied', code => {
  expect(toStoreError(error(code))).toMatchObject({ code: 'HALT_E_STORE_UNAVAILABLE', reply: undefined })
})

it('a timeout of the client is a timeout, and any other value an error with a text', () => {
  expect(toStoreError(new Error('Query read timeout'))).toMatchObject({ failure: 'timeout' })
  expect(toStoreError('gone')).toMatchObject({ message: 'gone', failure: 'unavailable' })
})
