import { afterEach, beforeEach, describe } from 'vitest'

import type { Listening, Start } from '../app.ts'
import type { Scene } from '../show.ts'
import type { StoreOptions } from '../store.ts'
import { Bench, type StoreName } from './bench.ts'
import { limits } from './limits.ts'
import { model } from './model.ts'
import { operated, unoperated } from './operator.ts'
import { penalties } from './penalties.ts'
import { plans } from './plans.ts'
import { quotas } from './quotas.ts'
import { showing } from './showing.ts'

export { type Bench, drained, seen } from './bench.ts'

/** Options of {@link demoSuite}. */
export interface DemoSuiteOptions<L extends Listening> {
  readonly library?: StoreOptions['library']
  /** The stores that the app runs on; default: memory and Redis. */
  readonly stores?: readonly StoreName[]
  /** Whether the show is also played in real time. Default: no. */
  readonly inRealTime?: boolean
  /** Scenes of this app alone. */
  readonly more?: readonly Scene<L>[]
  /** Tests of this app alone, which run on every store. */
  readonly own?: (bench: Bench<L>) => void
}

/**
 * The tests of every demo app: over real sockets, on memory and on a real Redis, with a stopped clock.
 *
 * @example
 * demoSuite(start)
 */
export function demoSuite<L extends Listening>(start: Start<L>, options: DemoSuiteOptions<L> = {}): void {
  const { library, stores = ['memory', 'Redis'], inRealTime = false, more = [], own } = options
  describe.each(stores)('the demo on %s', name => {
    const bench = new Bench(start, name, library)

    describe('for its clients', () => {
      beforeEach(() => bench.open())
      afterEach(() => bench.close())
      limits(bench)
      plans(bench)
      quotas(bench)
      penalties(bench)
      model(bench)
      unoperated(bench)
      own?.(bench)
    })

    describe('for its operator', () => {
      beforeEach(() => bench.open({ operated: true }))
      afterEach(() => bench.close())
      operated(bench)
    })
  })

  describe('the show', () => {
    showing(start, more, library, inRealTime)
  })
}
