// The suite must notice a store that reads its counters, and writes them later, without a lock.
import { decideOver, type Store } from '@halt/core/store'
import { expect, it } from 'vitest'

import { storeSuite } from '../../src/index.ts'
import { collectTests } from '../collected.ts'

/** As `select … for update` behaves on rows that are not there: nothing is locked. */
function naiveStore(rows: Map<string, string>, clock: () => number): Store {
  return {
    kind: 'naive',
    async evaluate(group) {
      const before = new Map(rows)
      await new Promise(resolve => void setImmediate(resolve))
      const { evaluation, changes } = decideOver(group, before, clock() * 1000)
      for (const { key, value } of changes)
        if (value === undefined) rows.delete(key)
        else rows.set(key, value)
      return evaluation
    },
    forget: async () => 0,
  }
}

it('a store without locks fails the tests of several stores', async () => {
  const rows = new Map<string, string>()
  let time: () => number
  const tests = collectTests(runner =>
    storeSuite(runner, {
      name: 'naive',
      make(clock) {
        time = clock
        rows.clear()
        return naiveStore(rows, clock)
      },
      another: () => naiveStore(rows, time),
      documents: false,
    }),
  )
  const [, test] = [...tests].find(([name]) => name.endsWith('admit the limit, and no more'))!
  // Each of the 240 checks finds the counter as it was before all of them.
  await expect(test()).rejects.toThrow(/240/)
})
