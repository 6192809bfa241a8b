// As packages/core/test/calls/holds-traces.test.ts, with the store of this package.
import fc from 'fast-check'
import { afterAll, beforeAll, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { histories } from '../../core/test/calls/holds-histories.ts'
import { playHistory } from '../../core/test/calls/holds-traces.ts'
import { loadCore, unloadCore, type VirtualCore } from '../../core/test/line/virtual-core.ts'
import { InMemoryStore } from '../src/index.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

it('every event of random histories of calls in memory is a step of the model', async () => {
  const play = fc.asyncProperty(histories, history =>
    playHistory(core, clock => new InMemoryStore({ clock }), history, {}),
  )
  await fc.assert(play, { numRuns: isFull ? 300 : 20 })
})
