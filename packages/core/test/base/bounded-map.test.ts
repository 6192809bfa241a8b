import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { expect, it } from 'vitest'

import { BoundedMap } from '../../src/base/bounded-memory.ts'

const names = (map: BoundedMap<number>): string[] => [...map].map(([name]) => name)

it('a full map forgets the entry that was written longest ago', () => {
  const map = new BoundedMap<number>(3)
  for (const name of ['a', 'b', 'c', 'a', 'd']) map.set(name, 1)
  expect(names(map)).toEqual(['c', 'a', 'd'])
  map.delete('a')
  map.set('e', 1)
  expect(names(map)).toEqual(['c', 'd', 'e'])
  for (const name of ['d', 'f', 'g']) map.set(name, 1)
  expect(names(map)).toEqual(['d', 'f', 'g'])
})

it('an emptied map can be filled again', () => {
  const map = new BoundedMap<number>(2)
  const fill = (): void => {
    for (const name of ['a', 'b', 'c', 'd']) map.set(name, 1)
    expect(names(map)).toEqual(['c', 'd'])
  }
  fill()
  for (const name of names(map)) map.delete(name)
  fill()
})

it('the map keeps the order of writes over any history', () => {
  const map = new BoundedMap<number>(50)
  const model = new Map<string, number>()
  let seed = 1
  const random = (most: number): number => (seed = (seed * 48_271) % 2_147_483_647) % most
  for (let i = 0; i < 20_000; i++) {
    const name = String(random(120))
    if (random(4) === 0) {
      map.delete(name)
      model.delete(name)
      continue
    }
    map.set(name, i)
    model.delete(name)
    model.set(name, i)
    if (model.size > 50) model.delete(model.keys().next().value as string)
    expect(map.size).toBe(model.size)
  }
  expect([...map]).toEqual([...model])
})

it('a write in a flood of keys costs about what a write to a plain map costs', () => {
  const bounded = new BoundedMap<number>(50_000)
  const flood = (map: { set(key: string, value: number): unknown }, count: number): number => {
    const before = process.cpuUsage()
    for (let i = 0; i < count; i++) map.set(`${i}-${Math.random()}`, i)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  flood(bounded, 60_000)
  flood(new Map(), 60_000)
  // With a new iterator for each write, a write takes about sixty times as long.
  expect(flood(bounded, 200_000)).toBeLessThan(15 * flood(new Map(), 200_000))
})

it('a full map keeps no removed entry alive, however often one entry is rewritten', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const map = new BoundedMap<number>(20)
  // The map is full, and has removed its older entries.
  for (let i = 0; i < 40; i++) map.set(`${i}`, i)
  const before = held()
  for (let i = 0; i < 300_000; i++) map.set('39', i)
  expect(held() - before).toBeLessThan(2_000_000)
  expect(map.size).toBe(20)
})
