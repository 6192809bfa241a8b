// Random histories of the real code, each event of which must be a step of the model of holds.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { loadCore, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import { histories } from './holds-histories.ts'
import { playHistory } from './holds-traces.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

it('every event of random histories of calls is a step of the model', async () => {
  const made: Record<string, number> = {}
  const play = fc.asyncProperty(histories, history =>
    playHistory(core, now => new core.ReferenceStore(now), history, made),
  )
  await fc.assert(play, { numRuns: isFull ? 2000 : 150 })
  // Each step was made, so none is admitted for nothing.
  const common = ['arrive', 'giveUp', 'lose', 'refuse']
  const kinds = ['keep', 'pay', 'reserve', 'settle', 'refund']
  const steps = ['begin', 'charge', 'check', 'end', 'grant', 'hear keep', 'hear pay', 'hear reserve']
  const rare = isFull ? [] : ['giveUp refund', 'lose refund', 'refuse refund']
  const all = [
    ...steps,
    'keep',
    'reserve',
    'settle',
    'use',
    ...kinds.flatMap(kind => common.map(name => `${name} ${kind}`)),
  ]
  expect(all.filter(name => !(name in made) && !rare.includes(name))).toEqual([])
})
