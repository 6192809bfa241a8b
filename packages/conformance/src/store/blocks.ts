import { type Evaluation, Mode, type Terms } from '@halt/core/store'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { type Bench, ruleOf, withStore } from './bench.ts'

const SECOND = 1e6

/** Counters that somebody blocks for a time. */
export function testBlocks({ describe, it, expect }: Runner, factory: StoreFactory): void {
  describe('blocks', () => {
    const strict = ruleOf('token-bucket', { cooldown: 5 })
    const ask = async (bench: Bench, terms: Terms): Promise<Evaluation> =>
      (await bench.take(strict, 1, { terms })).evaluation

    it('a block prolongs a cool-down that ends earlier, and shortens none', () =>
      withStore(factory, async bench => {
        const block = (seconds: number): Promise<unknown> =>
          bench.take({ ...strict, cooldown: seconds * SECOND }, 0, { mode: Mode.BLOCK })
        for (const [seconds, wait] of [
          [5, 5],
          [20, 20],
          [3, 20],
        ] as const) {
          await block(seconds)
          expect((await bench.take(strict, 1, { mode: Mode.PEEK })).wait).toBe(wait * SECOND)
        }
      }))

    it('a block is never refused, and refuses all who ask until it ends', () =>
      withStore(factory, async bench => {
        const { passes, evaluation } = await bench.take(strict, 0, { mode: Mode.BLOCK })
        expect([passes, evaluation.allowed]).toEqual([true, true])
        const { allowed, startsIn } = await ask(bench, { maxWait: 5 * SECOND - 1, headroom: 0.5 })
        expect([allowed, startsIn]).toEqual([false, undefined])
        expect((await bench.take(strict, 1, { mode: Mode.PEEK })).wait).toBe(5 * SECOND)
      }))

    it('a block of a counter whose own rule has no cool-down tells who is refused how long it lasts', () =>
      withStore(factory, async bench => {
        await bench.take(strict, 0, { mode: Mode.BLOCK })
        const { passes, wait } = await bench.take({ ...strict, cooldown: 0 })
        expect([passes, wait]).toEqual([false, 5 * SECOND])
      }))

    it('a place starts when the block of its counter ends', () =>
      withStore(factory, async bench => {
        await bench.take(strict, 0, { mode: Mode.BLOCK })
        expect((await ask(bench, { maxWait: 5 * SECOND - 1 })).allowed).toBe(false)
        expect((await ask(bench, { maxWait: 10 * SECOND })).startsIn).toBe(5 * SECOND)
      }))
  })
}
