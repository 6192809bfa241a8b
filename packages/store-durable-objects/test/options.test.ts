import { expect, it } from 'vitest'

import { DurableObjectStore } from '../src/index.ts'
import { namespaceOf } from './namespace.ts'

const namespace = namespaceOf(() => ({}))

it.each([
  ['no options', undefined],
  ['the binding itself', namespace],
  ['a binding that is missing', { namespace: undefined }],
  ['another kind of binding', { namespace: { get: () => {}, put: () => {} } }],
  ['an unknown option', { namespace, shards: 4 }],
  ['no shards', { namespace, objects: 0 }],
  ['half a shard', { namespace, objects: 1.5 }],
  ['an unknown placement', { namespace, objects: 'per-user' }],
  ['a prefix that is not a text', { namespace, prefix: 7 }],
  ['a long prefix', { namespace, prefix: 'x'.repeat(65) }],
  ['a clock that is not a function', { namespace, clock: 'server' }],
  ['waitUntil that is not a function', { namespace, waitUntil: {} }],
])('DurableObjectStore throws for %s', (_what, options) => {
  const make = (): unknown => new DurableObjectStore(options as never)
  expect(make).toThrow(expect.objectContaining({ code: 'HALT_E_STORE_OPTION' }))
})

it('DurableObjectStore refuses a document whose name is not one', () => {
  const document = (): unknown => new DurableObjectStore({ namespace }).document('../x')
  expect(document).toThrow(expect.objectContaining({ code: 'HALT_E_STORE_OPTION' }))
})
