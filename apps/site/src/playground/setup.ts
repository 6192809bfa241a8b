import type { Duration, RatePolicy } from '@halt/core'

/** Requests at a constant rate, from each client in turn. */
interface SteadyTraffic {
  readonly kind: 'steady'
  readonly perSecond: number
  readonly clients: number
}

/** Each client sends `size` requests at once, every `every` seconds. */
interface BurstTraffic {
  readonly kind: 'bursts'
  readonly size: number
  readonly every: number
  readonly clients: number
}

/** Steady traffic, and one more client that starts after five seconds and sends `attack` requests per second. */
interface AttackTraffic {
  readonly kind: 'attacker'
  readonly perSecond: number
  readonly clients: number
  readonly attack: number
}

/** The requests of an access log, at the distances in which it has them. A link does not carry its text. */
interface LogTraffic {
  readonly kind: 'log'
  readonly text: string
}

export type Traffic = SteadyTraffic | BurstTraffic | AttackTraffic | LogTraffic

/** A policy of the playground: one of fixed numbers, without functions, so that a link can carry it. */
export type PlayPolicy = Omit<
  RatePolicy,
  'keyExtractor' | 'headroom' | 'inFlight' | 'algorithm' | 'window' | 'ttl' | 'fair'
> & {
  /** Of a counter of everybody: its tenants. */
  readonly fair?: { readonly by: 'user' | 'ip' } | undefined
  readonly algorithm?: RatePolicy['algorithm'] | 'concurrency'
  /** Of every algorithm but `concurrency`. */
  readonly window?: Duration | undefined
  /** Of `concurrency`. */
  readonly ttl?: Duration | undefined
}

/** Everything that a visitor sets. Plain data. */
export interface Setup {
  /** One list of policies, or two that get the same requests. */
  readonly sides: readonly (readonly PlayPolicy[])[]
  readonly traffic: Traffic
  /** How long an admitted request is in flight, in seconds, for `concurrency`. Default {@link LASTS}. */
  readonly lasts?: number | undefined
  /** Simulated seconds per second, 1 to 100. */
  readonly speed: number
}

/** Seconds that a request is in flight. */
export const LASTS = 0.5

/** The set-up of a first visit: a client that sends twice as much as its bucket refills. */
export const FIRST: Setup = {
  sides: [[{ name: 'api', limit: 10, window: '10s' }]],
  traffic: { kind: 'steady', perSecond: 2, clients: 1 },
  speed: 1,
}

/** The numbers with which each kind of traffic starts. */
export const TRAFFIC: { readonly [K in Traffic['kind']]: Extract<Traffic, { kind: K }> } = {
  steady: { kind: 'steady', perSecond: 2, clients: 1 },
  bursts: { kind: 'bursts', size: 15, every: 5, clients: 1 },
  attacker: { kind: 'attacker', perSecond: 4, clients: 8, attack: 20 },
  log: { kind: 'log', text: '' },
}

/** The most of each number of the traffic. */
export const MOST = { perSecond: 10_000, clients: 1000, size: 1000, every: 3600, lasts: 3600 } as const
