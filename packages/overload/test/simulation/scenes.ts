import type { Random } from './random.ts'
import type { Scene, Work } from './simulated-server.ts'

/** A kind of handler, and how many requests a second it can answer. */
export interface Kind {
  readonly name: string
  readonly capacity: number
  readonly work: (random: Random, now: number) => Work
  readonly pool?: number
  readonly pauses?: Scene['pauses']
  /** What is allowed to miss of the figures, and why. */
  readonly slack?: {
    readonly refused?: number
    readonly p99?: number
  }
}

/** Milliseconds at half of the capacity, before the load. */
export const CALM = 2000
const LOAD = 4000
/** When the steady part of the load begins. */
export const STEADY: number = CALM + 1000
export const END: number = CALM + LOAD

/** The scene of a kind: half of the capacity at first, then a multiple of it. */
export function sceneOf({ capacity, work, pool, pauses }: Kind, times: number, seed: number): Scene {
  return {
    seed,
    ...(pool === undefined ? {} : { pool }),
    ...(pauses === undefined ? {} : { pauses }),
    stretches: [
      { from: 0, to: CALM, perSecond: capacity * 0.5, work },
      { from: CALM, to: END, perSecond: capacity * times, work },
    ],
  }
}

const pooled = (wait: number): Work => ({ cpu: 0.1, wait, pooled: true })

/** Handlers on which the constants of the controllers were set. */
export const tuned: readonly Kind[] = [
  { name: 'processor, 5 ms', capacity: 198, work: () => ({ cpu: 5 }) },
  { name: 'processor, 2 ms', capacity: 487, work: () => ({ cpu: 2 }) },
  { name: 'pool of 10, 20 ms', capacity: 500, pool: 10, work: () => pooled(20) },
  { name: 'pool of 3, 50 ms', capacity: 60, pool: 3, work: () => pooled(50) },
  {
    name: 'pool of 10, log-normal with σ 1',
    // Means of so varied times differ by chance.
    slack: { refused: 0.02 },
    capacity: 500,
    pool: 10,
    work: random => pooled(random.logNormal(20, 1)),
  },
  {
    name: 'pool of 10, 60 % cache hits',
    // Hits and misses of one route look alike, so the queue of the misses is seen late.
    slack: { p99: 20 },
    capacity: 1250,
    pool: 10,
    work: random => (random.next() < 0.6 ? { cpu: 0.2 } : pooled(20)),
  },
]

/** Handlers on which no constant was set. */
export const untuned: readonly Kind[] = [
  { name: 'processor, 8 ms', capacity: 124, work: () => ({ cpu: 8 }) },
  { name: 'processor, from 1 to 9 ms', capacity: 198, work: random => ({ cpu: 1 + 8 * random.next() }) },
  {
    name: 'processor, 3 ms, a timer of 30 ms, 3 ms',
    capacity: 164,
    work: () => ({ cpu: 3, wait: 30, after: 3 }),
  },
  { name: 'pool of 5, 30 ms', capacity: 166, pool: 5, work: () => pooled(30) },
  {
    name: 'pool of 20, log-normal with σ 0.8',
    slack: { refused: 0.02 },
    capacity: 800,
    pool: 20,
    work: random => pooled(random.logNormal(25, 0.8)),
  },
  {
    name: 'three routes: processor, pool, timer',
    slack: { p99: 8 },
    capacity: 400,
    pool: 4,
    work(random) {
      const route = random.next()
      if (route < 0.7) return { cpu: 1, route: '/items' }
      return route < 0.9 ? { ...pooled(40), route: '/search' } : { cpu: 2, wait: 100, route: '/partner' }
    },
  },
  {
    name: 'two routes: processor, and a pool of 4',
    capacity: 290,
    pool: 4,
    work: random =>
      random.next() < 0.7 ? { cpu: 3, route: '/items' } : { ...pooled(40), cpu: 0.2, route: '/search' },
  },
  {
    name: 'four routes: 60 % quick, the others share a pool of 5',
    slack: { p99: 8 },
    capacity: 620,
    pool: 5,
    work: random =>
      random.next() < 0.6
        ? { cpu: 0.3, route: '/items' }
        : { ...pooled(20), route: `/search/${Math.floor(random.next() * 3)}` },
  },
  {
    name: 'ten routes that share a pool of 10',
    capacity: 500,
    pool: 10,
    work: random => ({ ...pooled(20), route: `/${Math.floor(random.next() * 10)}` }),
  },
  {
    name: 'pool of 10, 25 ms, with pauses of 60 ms every second',
    // The pauses take 6 % of the capacity too.
    slack: { refused: 0.005 },
    capacity: 400,
    pool: 10,
    work: () => pooled(25),
    pauses: Array.from({ length: 8 }, (_, i) => [500 + 1000 * i, 60] as const),
  },
]
