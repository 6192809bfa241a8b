import type { Bounds, Controller } from '../../src/limit/contract.ts'
import { StandingQueue } from '../../src/limit/standing-queue.ts'
import type { ShedderOptions } from '../../src/shedder/options.ts'
import { pinned } from '../pinned.ts'

/** The places of a limit that stays. */
export const LIMIT = 3

/** A way to shed. */
export interface Variant {
  readonly name: string
  readonly options: ShedderOptions
  /** Whether it is known at each step which requests are in flight, and whether a further one is refused. */
  readonly isExact: boolean
  readonly controller: (bounds: Bounds) => Controller
}

const stays = (): Controller => pinned(LIMIT)
const learns = (bounds: Bounds): Controller => new StandingQueue(bounds)

export const VARIANTS: readonly Variant[] = [
  { name: 'of which no time passes', options: { route: () => 'all' }, isExact: true, controller: stays },
  {
    name: 'in which requests hang and clients are slow',
    options: { route: () => 'all' },
    isExact: false,
    controller: stays,
  },
  { name: 'in shadow mode', options: { mode: 'shadow' }, isExact: false, controller: stays },
  { name: 'with a limit that learns', options: { min: 2, max: 4 }, isExact: false, controller: learns },
  {
    name: 'with one limit for all routes',
    options: { route: () => 'all', min: 1, max: 3 },
    isExact: false,
    controller: learns,
  },
]
