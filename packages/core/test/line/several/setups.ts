// Ordinary set-ups of callers that wait under several policies, and what happens to them. Random, by classes.
import fc from 'fast-check'

import type { Given, Units } from './counters.ts'
import type { Happening } from './happenings.ts'

/** How callers come. */
type Demand =
  /** Workers that ask again after each start. */
  | { readonly comes: 'steadily'; readonly workers: number }
  /** All at once. */
  | { readonly comes: 'at once'; readonly callers: number }
  /** One by one, at random instants: `load` times as many as the policies allow. */
  | { readonly comes: 'at random'; readonly load: number }

/** A history of a town. */
export interface Story {
  readonly seed: number
  readonly processes: number
  /** One way of the network is up to this many microseconds. */
  readonly latency: number
  readonly policies: readonly Given[]
  readonly clients: number
  readonly demand: Demand
  /** The units of a call. `mixed` calls take 1 to `most`. */
  readonly costs: 'one' | 'mixed' | 'tokens'
  readonly maxWaitMs: number
  readonly mostWaiting: number | undefined
  readonly heldMs: number | undefined
  readonly by: 'acquire' | 'run' | 'delay'
  readonly doAllLeave: boolean
  readonly happenings: readonly Happening[]
}

/** A class of set-ups. */
export interface Class {
  readonly name: string
  readonly stories: fc.Arbitrary<Story>
}

const within = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const one = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const often = <T>(weight: number, usual: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: seldom })

type Keys = 'user' | 'shared'

/** A number and a window, as people write them. */
const rate = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ limit: one(1, 2, 5, 10, 20, 50, 100, 300, 1000), window: one('1s' as const) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ limit: one(10, 30, 60, 100, 300, 600, 1000), window: one('1m' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ limit: one(100, 500, 1000), window: one('1h' as const) }) },
)

const bucket = (name: string, keys: fc.Arbitrary<Keys>): fc.Arbitrary<Given> =>
  fc
    .record({
      rate,
      keyStrategy: keys,
      burst: one('one' as const, 'few' as const, 'limit' as const),
      few: within(2, 10),
    })
    .map(({ rate: { limit, window }, keyStrategy, burst, few }) => ({
      name,
      limit,
      window,
      keyStrategy,
      burst: burst === 'one' ? 1 : burst === 'few' ? few : limit,
    }))

const buckets = (least: number, most: number, keys: fc.Arbitrary<Keys>): fc.Arbitrary<Given[]> =>
  within(least, most).chain(count =>
    fc.tuple(...Array.from({ length: count }, (_, i) => bucket(`b${i}`, keys))),
  )

const window = fc
  .record({
    algorithm: one('fixed-window' as const, 'sliding-window' as const),
    limit: within(3, 60),
    window: one('1s' as const, '1m' as const),
    keyStrategy: one('user' as const, 'shared' as const),
  })
  .map((policy): Given => ({ name: 'window', ...policy }))
const quota = fc
  .record({ limit: within(20, 1000), keyStrategy: one('user' as const, 'shared' as const) })
  .map((policy): Given => ({ name: 'quota', period: 'hourly', ...policy }))
const concurrency = fc
  .record({ limit: within(1, 10), keyStrategy: one('user' as const, 'shared' as const) })
  .map((policy): Given => ({ name: 'flight', algorithm: 'concurrency', ttl: '10m', ...policy }))

const client: fc.Arbitrary<Keys> = one('user')
const any: fc.Arbitrary<Keys> = one('user', 'user', 'shared')

/** `shared 50/s and each customer 1 per 6 s`. */
const customers = fc
  .tuple(bucket('all', one('shared')), bucket('each', client))
  .map((policies): Given[] => policies)
/** `llmBudget({ rpm, itpm, otpm })`, as it writes its policies. */
const budget = fc
  .record({ rpm: one(30, 60, 300), itpm: one(30_000, 90_000), otpm: one(10_000, 20_000) })
  .map(({ rpm, itpm, otpm }): Given[] => [
    { name: 'llm_requests', limit: rpm, counts: 'requests', window: 60, keyStrategy: 'user' },
    { name: 'llm_input_tokens', limit: itpm, window: 60, keyStrategy: 'user' },
    { name: 'llm_output_tokens', limit: otpm, window: 60, keyStrategy: 'user' },
  ])

interface Shape {
  readonly policies: fc.Arbitrary<Given[]>
  readonly clients?: fc.Arbitrary<number>
  readonly costs?: Story['costs']
  readonly held?: fc.Arbitrary<number>
  readonly happenings?: fc.Arbitrary<Happening>
  readonly processes?: fc.Arbitrary<number>
}

function classOf(name: string, shape: Shape): Class {
  const {
    policies,
    clients = one(1, 1, 2, 3),
    costs = 'one',
    held,
    happenings,
    processes = within(1, 4),
  } = shape
  const demand: fc.Arbitrary<Demand> = fc.oneof(
    {
      weight: 3,
      arbitrary: often(4, within(20, 60), within(60, 200)).map((workers): Demand => ({
        comes: 'steadily',
        workers,
      })),
    },
    { weight: 1, arbitrary: within(20, 150).map((callers): Demand => ({ comes: 'at once', callers })) },
    {
      weight: 1,
      arbitrary: within(5, 20).map((tenths): Demand => ({ comes: 'at random', load: tenths / 10 })),
    },
  )
  const stories = fc
    .record({
      seed: within(1, 2 ** 30),
      processes,
      latency: within(500, 5000),
      policies,
      clients,
      demand,
      costs: fc.constant(costs),
      maxWaitMs: often(5, within(10_000, 60_000), one(500, 2000, 300_000, 1_800_000)),
      mostWaiting: often<number | undefined>(6, fc.constant(undefined), within(5, 15)),
      heldMs: held ?? fc.constant(undefined),
      by: one('acquire' as const, 'acquire' as const, 'run' as const, 'delay' as const),
      doAllLeave: fc.boolean(),
      happenings:
        happenings === undefined ? fc.constant([]) : fc.array(happenings, { minLength: 1, maxLength: 3 }),
    })
    .filter(isOrdinary)
    .map(story => ({ ...story, [fc.toStringMethod]: () => textOf(story) }))
  return { name, stories }
}

/** Whether the dearest call fits into each bucket. */
function isOrdinary({ policies, costs }: Story): boolean {
  return (
    costs !== 'mixed' ||
    policies.every(
      ({ limit, ...rest }) => Math.min(limit, 'burst' in rest ? (rest.burst ?? limit) : limit) >= DEAREST,
    )
  )
}

/** The most units of a call of mixed costs. */
const DEAREST = 5

function textOf({ policies, demand, happenings, ...numbers }: Story): string {
  const written = policies.map(({ name, limit, keyStrategy, ...rest }) => {
    const {
      window: per,
      period,
      burst,
      algorithm,
    } = rest as unknown as Readonly<Record<string, string | number>>
    const whose = keyStrategy === 'shared' ? 'of all' : 'of each'
    const words = [name, whose, limit, per ?? period, burst && `burst ${burst}`, algorithm]
    return words.filter(word => word !== undefined).join(' ')
  })
  return [`[${written.join('; ')}]`, ...[demand, numbers, happenings].map(part => JSON.stringify(part))].join(
    ' ',
  )
}

/** The units of the nth call of a caller. */
export function unitsIn({ costs, policies, seed }: Story, caller: number, n: number): Units {
  if (costs === 'one') return 1
  // Mixed without a state, so that the ideal draws the same.
  const chance = (salt: number): number => {
    const mixed = Math.imul(
      seed ^ Math.imul(caller + 1, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b) ^ salt,
      0xc2b2ae35,
    )
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296
  }
  if (costs === 'mixed') return 1 + Math.floor(chance(1) * DEAREST)
  const of = (name: string, most: number, salt: number): Record<string, number> =>
    policies.some(policy => policy.name === name) ? { [name]: 100 + Math.floor(chance(salt) * most) } : {}
  return { llm_requests: 1, ...of('llm_input_tokens', 3000, 2), ...of('llm_output_tokens', 800, 3) }
}

/** The classes in which nothing happens but callers. */
export function steadyClasses(): Class[] {
  return [
    classOf('one bucket', { policies: buckets(1, 1, any) }),
    classOf('two buckets', { policies: buckets(2, 2, any) }),
    classOf('three or four buckets', { policies: buckets(3, 4, any) }),
    classOf('a shared bucket and one of each customer', {
      policies: customers,
      clients: often(3, within(2, 12), within(13, 100)),
    }),
    classOf('two buckets of mixed costs', { policies: buckets(2, 2, any), costs: 'mixed' }),
    classOf('a budget of a model', { policies: budget, costs: 'tokens' }),
    classOf('buckets and a window', {
      policies: fc.tuple(buckets(1, 2, any), window).map(([own, other]) => [...own, other]),
    }),
    classOf('buckets and a quota', {
      policies: fc.tuple(buckets(1, 2, any), quota).map(([own, other]) => [...own, other]),
    }),
    classOf('a window or a quota alone', { policies: fc.oneof(window, window, quota).map(own => [own]) }),
    classOf('requests in flight alone', { policies: concurrency.map(own => [own]), held: within(20, 2000) }),
    classOf('buckets and requests in flight', {
      policies: fc.tuple(buckets(1, 2, any), concurrency).map(([own, other]) => [...own, other]),
      held: within(20, 2000),
    }),
  ]
}

const share = within(5, 90).map(value => value / 100)
const happening = <T extends object>(rest: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<
  T & { at: number }
> => fc.tuple(share, fc.record(rest)).map(([at, own]) => ({ at, ...(own as T) }))

const HAPPENINGS: readonly (readonly [
  name: string,
  fc.Arbitrary<Happening>,
  processes?: fc.Arbitrary<number>,
])[] = [
  ['a limit changes', happening({ does: one('limit' as const), which: share, factor: one(0.2, 0.5, 2, 5) })],
  ['counters are reset', happening({ does: one('reset' as const), which: share })],
  ['units are given back', happening({ does: one('refund' as const), which: share, calls: within(1, 20) })],
  ['callers leave', happening({ does: one('abort' as const), part: one(0.05, 0.5, 1) })],
  ['a process closes', happening({ does: one('close' as const), which: share }), within(2, 4)],
  ['a client is paused', happening({ does: one('pause' as const), which: share, ms: within(200, 3000) })],
  ['a client is blocked', happening({ does: one('block' as const), which: share, ms: within(500, 5000) })],
  [
    'the store is away',
    happening({
      does: one('outage' as const),
      fault: one('away' as const, 'hung' as const),
      ms: within(50, 3000),
    }),
  ],
]

/** The classes in which something happens to callers of two buckets or of many customers. */
export function changingClasses(): Class[] {
  const policies = fc.oneof(buckets(2, 3, any), customers)
  return HAPPENINGS.map(([name, happenings, processes]) =>
    classOf(name, {
      policies,
      clients: within(1, 5),
      happenings,
      ...(name.startsWith('units') ? { costs: 'mixed' as const } : {}),
      ...(processes && { processes }),
    }),
  )
}
