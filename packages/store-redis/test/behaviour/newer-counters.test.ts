import { type Group, Mode, type Rule } from '@halt/core/store'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, it } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { demandOf, ruleOf } from '../../../conformance/src/store/bench.ts'
import { RedisStore } from '../../src/index.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())

const bucket = ruleOf('token-bucket')
const quota: Rule = { ...ruleOf('fixed-window'), code: 'q', counter: 'p:q' }
const { unit, rate } = bucket
const NOW = 1_795_500_000_000_000
const line = [NOW, 90 * unit, unit, rate, 0, 1, NOW, 80, 0, NOW + 9e9, 0]
const error = { code: 'HALT_E_STORE_SCRIPT', failure: 'script', fix: expect.stringContaining('Update Halt') }

const packed = (numbers: readonly number[]): Buffer => {
  const value = Buffer.alloc(8 * numbers.length)
  for (const [i, number] of numbers.entries()) value.writeDoubleBE(number, 8 * i)
  return value
}

it.each([
  ['a bucket with another part', bucket, line.with(5, 3)],
  ['a bucket with half a hole', bucket, [...line, 7]],
  ['a bucket with too few numbers', bucket, line.slice(0, 9)],
  ['a quota with half a hold', quota, [0, NOW + 9e6, 1, 0, NOW + 5e6, 3, NOW + 6e6]],
])('%s is an error for its group alone, and stays as it is', async (_name, rule, numbers) => {
  const prefix = `${unique()}:`
  const store = new RedisStore({ client, prefix, connection: 'shared', clock: () => NOW / 1000 })
  const key = `${prefix}{user:42}:${rule.counter}`
  await client.set(key, packed(numbers))
  const other = demandOf(bucket, 1, { subject: 'user:7' })
  const groups: Group[] = [
    { demands: [demandOf(rule)] },
    { demands: [demandOf(rule, 1, { mode: Mode.PEEK }), demandOf(bucket, 1, { subject: 'user:8' })] },
    { demands: [other] },
  ]
  // Alone, where the commonest call has its own path, and in one call with others.
  await expect(store.evaluate(groups[0]!)).rejects.toMatchObject(error)
  const found = await Promise.all(
    groups.map(group => store.evaluate(group).catch((thrown: unknown) => thrown)),
  )
  expect(found).toMatchObject([error, error, { allowed: true }])
  expect(await client.getBuffer(key)).toEqual(packed(numbers))
  expect(await client.exists(`${prefix}{user:8}:${bucket.counter}`)).toBe(0)
})

it('a line is read whole, and kept by the server a second longer than it lasts', async () => {
  const prefix = `${unique()}:`
  const store = new RedisStore({ client, prefix, connection: 'shared' })
  const narrow = { ...bucket, capacity: 1 }
  const place = { mode: Mode.SETTLE, terms: { place: { position: 0, born: 0 } } }
  const { now, states } = await store.evaluate({ demands: [demandOf(narrow, 4, place)] })
  const [state = []] = states
  expect(state).toEqual([0, now, 4 * unit, unit, rate, 1, now, 4, 0, now + 3 * (unit / rate) + 2.5e6, 0])
  const left = await client.pttl(`${prefix}{user:42}:${bucket.counter}`)
  expect(left).toBeGreaterThan((3 * unit) / rate / 1000 + 2500)
  expect(left).toBeLessThanOrEqual((4 * unit) / rate / 1000 + 3502)
})

it('a line believes the clock of the server that stepped back', async () => {
  const prefix = `${unique()}:`
  const store = new RedisStore({ client, prefix, connection: 'shared' })
  const [seconds = '0'] = await client.time()
  const ahead = Number(seconds) * 1e6 + 60e6
  const key = `${prefix}{user:42}:${bucket.counter}`
  await client.set(key, packed([ahead, 30 * unit, unit, rate, 0, 1, ahead, 20, 0, ahead + 60e6, 0]))
  const { now, states } = await store.evaluate({ demands: [demandOf(bucket, 0, { mode: Mode.LOOK })] })
  expect(states[0]?.slice(0, 5)).toEqual([0, now, 30 * unit, unit, rate])
})
