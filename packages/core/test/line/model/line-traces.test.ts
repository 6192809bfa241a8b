// Random histories of the real code, each event of which must be a step of the model of the line.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../../tools/full.ts'
import { loadCore, unloadCore, type VirtualCore } from '../virtual-core.ts'
import { histories } from './line-histories.ts'
import { type Forgery, playHistory } from './line-traces.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

it('every event of random histories of callers that wait is a step of the model', async () => {
  const made: Record<string, number> = {}
  const play = fc.asyncProperty(histories, history => playHistory(core, history, made))
  await fc.assert(play, { numRuns: isFull ? 1500 : 25 })
  // Each step was made, so none is admitted for nothing.
  const common = [
    'ask',
    'change',
    'crash',
    'leave',
    'look',
    'lose',
    'start',
    'giveUp ask',
    'lose ask',
    'hear ask late',
  ]
  const heard = ['ask', 'leave', 'look', 'place', 'refund'].flatMap(kind => [
    `arrive ${kind}`,
    `hear ${kind}`,
  ])
  const rare = ['look', 'place', 'leave'].flatMap(kind => [
    `giveUp ${kind}`,
    `lose ${kind}`,
    `hear ${kind} late`,
  ])
  const all = [...common, ...(isFull ? [...heard, ...rare] : [])]
  expect(all.filter(name => !(name in made))).toEqual([])
})

/** Rules of the model, or what it is told, that are not those of the code. The short form tries those that few histories show. */
const SHORT: readonly Forgery[] = [
  { hides: 'leave' },
  { hides: 'lose' },
  { hides: 'change' },
  { mistake: 'moves those in front of a caller that leaves' },
  { mistake: 'believes old answers' },
  { mistake: 'never looks' },
  { mistake: 'keeps units whose answer came too late' },
]
const LONG: readonly Forgery[] = [
  { mistake: 'pays past time at the new rate' },
  { mistake: 'lets those who wait keep the old rate' },
  { mistake: 'asks again when an answer is late' },
  { mistake: 'lets a caller that leaves keep its place' },
  { mistake: 'gives the place of a caller that left back twice' },
  { mistake: 'waits for the places of a process that has ended' },
  { mistake: 'starts all callers whose places are lost at once' },
  { mistake: 'starts the first caller whose place is lost at once' },
  { mistake: 'takes a new line for the old one' },
  { mistake: 'asks only once for lost places' },
]

it.each(isFull ? [...SHORT, ...LONG] : SHORT)('histories of a model that %j are rejected', async forgery => {
  const rejected = async (): Promise<boolean> => {
    for (const history of fc.sample(histories, { numRuns: isFull ? 1500 : 40, seed: 7 })) {
      const isAdmitted = await playHistory(core, history, {}, forgery).then(
        () => true,
        () => false,
      )
      if (!isAdmitted) return true
    }
    return false
  }
  expect(await rejected()).toBe(true)
})
