import { setImmediate as turn } from 'node:timers/promises'

import fc from 'fast-check'
import { expect, it, onTestFinished, vi } from 'vitest'

import { casStore, type Evaluation, type Group, keysOf } from '../../src/databases/index.ts'
import { Lanes } from '../../src/databases/lanes.ts'
import { NOTHING as NONE } from '../../src/store/evaluation.ts'
import { versioned } from '../store/versioned.ts'
import { asks } from './table.ts'

const EVALUATION: Evaluation = {
  now: 1,
  allowed: true,
  repeated: false,
  passes: [true],
  starts: NONE,
  states: [[]],
  penalty: [],
}

/** Lanes whose calls a test answers, oldest first. */
function lanes(
  mostKeys = 64,
  isOff = false,
): { lanes: Lanes; open: (readonly Group[])[]; answer: (at?: number) => Promise<void> } {
  const open: (readonly Group[])[] = []
  const answers = new Map<readonly Group[], () => void>()
  const made = new Lanes(
    groups =>
      new Promise(resolve => {
        open.push(groups)
        answers.set(groups, () => resolve(groups.map(() => EVALUATION)))
      }),
    mostKeys,
    isOff,
  )
  const answer = async (at = 0): Promise<void> => {
    const [groups] = open.splice(at, 1) as [readonly Group[]]
    answers.get(groups)!()
    await turn()
  }
  return { lanes: made, open, answer }
}

const subjects = (groups: readonly Group[]): string[] =>
  groups.map(({ demands }) => demands.map(({ subject }) => subject).join('+'))

it('groups without a common key do not wait for each other', () => {
  const { lanes: made, open } = lanes()
  for (const group of [asks('a'), asks('b', 'c'), asks('d')]) void made.add(group)
  expect(open.map(subjects)).toEqual([['a'], ['b+c'], ['d']])
})

it('groups that come while one of their keys is in use share the next call', async () => {
  const { lanes: made, open, answer } = lanes()
  for (const group of [asks('a'), asks('a', 'b'), asks('b', 'c'), asks('a'), asks('e')]) void made.add(group)
  expect(open.map(subjects)).toEqual([['a'], ['e']])
  await answer()
  expect(open.map(subjects)).toEqual([['e'], ['a+b', 'b+c', 'a']])
})

it('a group that waits keeps its turn', async () => {
  const { lanes: made, open, answer } = lanes()
  for (const group of [asks('a'), asks('b'), asks('a', 'b'), asks('b')]) void made.add(group)
  await answer()
  expect(open.map(subjects)).toEqual([['b']])
  await answer()
  expect(open.map(subjects)).toEqual([['a+b', 'b']])
})

it('a call has no more keys than it may, unless one group alone needs them', async () => {
  const { lanes: made, open, answer } = lanes(2)
  for (const group of [asks('a'), asks('a', 'b'), asks('a', 'c', 'd')]) void made.add(group)
  await answer()
  expect(open.map(subjects)).toEqual([['a+b']])
  await answer()
  expect(open.map(subjects)).toEqual([['a+c+d']])
})

it('in a Worker each group is sent at once', () => {
  const { lanes: made, open } = lanes(64, true)
  for (const group of [asks('a'), asks('a')]) void made.add(group)
  expect(open.map(subjects)).toEqual([['a'], ['a']])
})

it('no two calls of a process have a key in common, and each group gets one answer', async () => {
  const group = fc
    .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 3 })
    .map(names => asks(...names))
  const step = fc.oneof(group, fc.nat({ max: 5 }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 6 }),
      async (steps, most) => {
        const { lanes: made, open, answer } = lanes(most)
        const check = (): void => {
          const keys = open.flatMap(groups => keysOf(...groups))
          expect(new Set(keys).size).toBe(keys.length)
        }
        const added: Promise<Evaluation>[] = []
        for (const next of steps) {
          if (typeof next !== 'number') added.push(made.add(next))
          else if (open.length > 0) await answer(next % open.length)
          check()
        }
        while (open.length > 0) {
          await answer()
          check()
        }
        expect(await Promise.all(added)).toHaveLength(added.length)
      },
    ),
    { numRuns: 200 },
  )
})

it('many calls of one process on one key need no second attempt', async () => {
  const database = versioned()
  let swaps = 0
  const store = casStore(
    {
      ...database,
      async swap(given) {
        swaps++
        await turn()
        return database.swap(given)
      },
    },
    { attempts: 1 },
  )
  const answers = await Promise.all(Array.from({ length: 40 }, async () => store.evaluate(asks('a', 'b'))))
  expect(answers.filter(({ allowed }) => allowed)).toHaveLength(5)
  expect(swaps).toBe(2)
})

it('a call that hangs holds up those behind it for at most two seconds, and the next call keeps its keys when it ends', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { lanes: made, open, answer } = lanes()
  for (const group of [asks('a'), asks('a')]) void made.add(group)
  vi.advanceTimersByTime(999)
  expect(open.map(subjects)).toEqual([['a']])
  vi.advanceTimersByTime(1_001)
  expect(open.map(subjects)).toEqual([['a'], ['a']])
  await answer()
  void made.add(asks('a'))
  expect(open.map(subjects)).toEqual([['a']])
  await answer()
  expect(open.map(subjects)).toEqual([['a']])
  await answer()
})
