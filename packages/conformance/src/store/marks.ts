import { MARK_COUNTER } from '@halt/core/store'

import type { Runner } from '../runner.ts'
import { withStore } from './bench.ts'
import type { StoreFactory } from './store-factory.ts'

/** Tests the marks of a store that can lose its counters while a process runs. */
export function testMarks({ describe, it, expect }: Runner, factory: StoreFactory): void {
  describe('marks', () => {
    it('a mark stays the same for as long as the store has its counters', () =>
      withStore(factory, async bench => {
        const mark = bench.store.mark?.('user:42')
        expect(mark === undefined).toBe(!(factory.marks ?? mark !== undefined))
        if (mark === undefined) return
        const texts = await Promise.all([mark.read(), mark.read()])
        bench.now += 90 * 86_400e6
        texts.push(await mark.read(), await bench.store.mark!('user:42').read())
        expect(texts[0] === '').toBe(false)
        expect(new Set(texts).size).toBe(1)
        // A store gives one object for one node, however often it is asked.
        expect(bench.store.mark!('user:42')).toBe(mark)
      }))

    it('a mark is lost with the counters beside it, and the next one is another', () =>
      withStore(factory, async bench => {
        const mark = bench.store.mark?.('user:42')
        // On a cluster it lies under another name.
        if (mark === undefined || factory.oneInstant === false) return
        const text = await mark.read()
        bench.now += 1
        expect(await bench.store.forget([MARK_COUNTER])).toBe(1)
        expect((await mark.read()) === text).toBe(false)
      }))
  })
}
