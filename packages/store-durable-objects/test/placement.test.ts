import { expect, it } from 'vitest'

import { DurableObjectStore, type DurableObjectStoreOptions } from '../src/index.ts'
import { namespaceOf } from './namespace.ts'

const namesFor = async (
  subjects: readonly string[],
  options: Partial<DurableObjectStoreOptions>,
): Promise<string[]> => {
  const namespace = namespaceOf(() => ({ answer: 0 }))
  const store = new DurableObjectStore({ namespace, ...options })
  for (const subject of subjects) await store.forget([{ subject, counter: 'p:t' }])
  return namespace.asked
}

it('a store gives each subject an object of its own by default', async () => {
  expect(await namesFor(['user:42', 'ip:203.0.113.7'], {})).toEqual([
    'halt:subject:user:42',
    'halt:subject:ip:203.0.113.7',
  ])
})

it('a store spreads subjects evenly over shards, each always to the same', async () => {
  const subjects = Array.from({ length: 4000 }, (_, i) => `user:${i}`)
  const names = await namesFor(subjects, { objects: 4, prefix: 'app:' })
  expect(await namesFor(subjects, { objects: 4, prefix: 'app:' })).toEqual(names)
  const shards = ['app:shard:0', 'app:shard:1', 'app:shard:2', 'app:shard:3']
  const counts = shards.map(shard => names.filter(name => name === shard).length)
  expect(counts.reduce((sum, count) => sum + count)).toBe(4000)
  expect(Math.min(...counts)).toBeGreaterThan(850)
})

it('a store asks a function for the name of the object', async () => {
  const objects = (subject: string): string => subject.slice(0, subject.indexOf(':'))
  expect(await namesFor(['user:42', 'user:43'], { objects })).toEqual([
    'halt:object:user',
    'halt:object:user',
  ])
  const none = namesFor(['user:42'], { objects: (() => undefined) as unknown as () => string })
  await expect(none).rejects.toMatchObject({ code: 'HALT_E_STORE_MISCONFIGURED', failure: 'misconfigured' })
  const late = namesFor(['user:42'], { objects: (async () => Promise.reject(new Error('no'))) as never })
  await expect(late).rejects.toThrow('objects gave a promise')
})

it('forget() makes one call for each object', async () => {
  const namespace = namespaceOf(() => ({ answer: 2 }))
  const store = new DurableObjectStore({ namespace })
  const counters = ['a', 'b', 'a'].map((subject, i) => ({ subject, counter: `p${i}:t` }))
  expect(await store.forget(counters)).toBe(4)
  expect(namespace.asked).toEqual(['halt:subject:a', 'halt:subject:b'])
})
