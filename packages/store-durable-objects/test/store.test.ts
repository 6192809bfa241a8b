import { expect, it } from 'vitest'

import { demandOf, ruleOf } from '../../conformance/src/store/bench.ts'
import { DurableObjectStore } from '../src/index.ts'
import { namespaceOf } from './namespace.ts'

const rule = ruleOf('token-bucket')
const group = { demands: [demandOf(rule)] }
const misread = { code: 'HALT_E_STORE_SCRIPT', failure: 'script' }

const failing = (error: unknown): DurableObjectStore =>
  new DurableObjectStore({
    namespace: namespaceOf(() => {
      throw error
    }),
  })

it('an error tells that an object is overloaded, and not that the call was not applied', async () => {
  const error = Object.assign(new Error('Durable Object is overloaded.'), {
    overloaded: true,
    retryable: true,
  })
  const rejected = failing(error).evaluate(group)
  await expect(rejected).rejects.toMatchObject({
    code: 'HALT_E_STORE_OVERLOADED',
    failure: 'unavailable',
    reply: undefined,
    cause: error,
  })
  await expect(rejected).rejects.not.toHaveProperty('unsent')
})

it('a store asks an object once, even if the error of the stub may be tried again', async () => {
  const namespace = namespaceOf(() => {
    throw Object.assign(new Error('Network connection lost.'), { retryable: true })
  })
  const store = new DurableObjectStore({ namespace })
  await expect(store.evaluate(group)).rejects.toMatchObject({ code: 'HALT_E_STORE_UNAVAILABLE' })
  expect(namespace.asked).toEqual(['halt:subject:user:42'])
})

it.each([undefined, null, 'no error', new Error('')])(
  'a store turns a thrown %s into a coded error',
  async thrown => {
    await expect(failing(thrown).evaluate(group)).rejects.toMatchObject({ code: 'HALT_E_STORE_UNAVAILABLE' })
  },
)

it.each([
  null,
  7,
  'pong',
  {},
  { answer: null },
  { answer: { now: 1 } },
  { error: null },
  { error: { kind: 'constructor', message: 'x' } },
  { error: { kind: 'script' } },
])('a store rejects %j as an answer to a check', async answer => {
  const store = new DurableObjectStore({ namespace: namespaceOf(() => answer) })
  await expect(store.evaluate(group)).rejects.toMatchObject(misread)
})

it.each([{ answer: -1 }, { answer: '3' }, { answer: { version: 1 } }, { answer: 0.5 }])(
  'a store rejects %j as an answer to the other calls',
  async answer => {
    const store = new DurableObjectStore({ namespace: namespaceOf(() => answer) })
    await expect(store.forget([{ subject: 'user:42', counter: 'p:t' }])).rejects.toMatchObject(misread)
    await expect(store.document('control').read()).rejects.toMatchObject(misread)
    await expect(store.document('control').write('text', '0')).rejects.toMatchObject(misread)
    await expect(store.probe()).rejects.toMatchObject(misread)
  },
)

it.each([() => Number.NaN, () => 1.7e18, (async () => Promise.reject(new Error('no'))) as never])(
  'a store rejects a check if its own clock gives no instant',
  async clock => {
    const namespace = namespaceOf(() => ({}))
    const store = new DurableObjectStore({ namespace, clock })
    await expect(store.evaluate(group)).rejects.toMatchObject(misread)
    expect(namespace.asked).toEqual([])
  },
)

it('a store keeps a request alive with waitUntil, and does not fail if that throws', async () => {
  const prolonged: Promise<unknown>[] = []
  const waitUntil = (work: Promise<unknown>): void => void prolonged.push(work)
  const answered = new DurableObjectStore({ namespace: namespaceOf(() => ({ answer: 'pong' })), waitUntil })
  await answered.probe()
  expect(prolonged).toHaveLength(1)
  const namespace = namespaceOf(() => ({ answer: 'pong' }))
  const outside = new DurableObjectStore({
    namespace,
    waitUntil: () => {
      throw new Error('There is no request.')
    },
  })
  await outside.probe()
  expect(namespace.asked).toEqual(['halt:probe'])
})

it('a store reads a line whole, and refuses one of a newer version', async () => {
  const line = [0, 5, 9e9, 1e6, 1, 1, 5, 4, 0, 9e6, 1, 2, 1]
  const plain = { now: 5, allowed: false, repeated: false, passes: [false], starts: [], penalty: [] }
  const told = (state: readonly number[]): Promise<unknown> =>
    new DurableObjectStore({
      namespace: namespaceOf(() => ({ answer: { ...plain, states: [state] } })),
    }).evaluate(group)
  expect(await told(line)).toMatchObject({ states: [line] })
  for (const wrong of [line.with(5, 3), [...line, 7], line.slice(0, 9)])
    await expect(told(wrong)).rejects.toMatchObject(misread)
})

it('a store sends the place that a caller has', async () => {
  const sent: { group: { demands: { terms: unknown }[] } }[] = []
  const namespace = namespaceOf(body => void sent.push(JSON.parse(body) as (typeof sent)[number]))
  const terms = { maxWait: 1, place: { position: 3, born: 7 } }
  const store = new DurableObjectStore({ namespace })
  await store.evaluate({ demands: [demandOf(rule, 1, { terms })] }).catch(() => {})
  expect(sent[0]?.group.demands[0]?.terms).toEqual(terms)
})
