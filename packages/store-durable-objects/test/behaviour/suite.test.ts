import { storeSuite } from '@halt/conformance'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { allBut, whole } from '../../../../tools/parts-of-suite.ts'
import { startWorker, type Worker } from '../../../../tools/workerd.ts'
import { FACTORIES } from '../factories.ts'

let worker: Worker
beforeAll(async () => {
  worker = await startWorker(new URL('../worker/suite.ts', import.meta.url), {
    compatibilityFlags: ['nodejs_compat'],
    bindings: { HALT_FULL: isFull ? '1' : '' },
    durableObjects: { HALT: { className: 'HaltCounters', useSQLite: true } },
  })
})
afterAll(() => worker.close())

// The suite runs in workerd, where the store is. Here each test asks the Worker to run the test of its name.
const runner = {
  expect,
  it: (name: string) =>
    // oxlint-disable-next-line vitest/valid-title -- the suite gives a text
    it(name, async () => {
      const body = expect.getState().currentTestName ?? ''
      const response = await worker.fetch('/', { method: 'POST', body })
      expect(await response.json()).toEqual({ found: true })
    }),
}
/** One object counts as an object per subject does, which plays the whole suite. */
const most = allBut('charges', 'holds', 'large numbers')

function inWorkerd(): never {
  throw new Error('The stores are made in workerd.')
}

for (const factory of FACTORIES)
  storeSuite(
    { ...runner, describe: (factory.objects === 1 ? most : whole).describe },
    {
      ...factory,
      make: inWorkerd,
      another: inWorkerd,
    },
  )
