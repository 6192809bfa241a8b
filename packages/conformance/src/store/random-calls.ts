import {
  type Decision,
  RateLimiter,
  PenaltyManager,
  type Policy,
  type Quota,
  QuotaManager,
  type Identity,
  type RequestView,
} from '@halt/core'
import type { Store } from '@halt/core/store'

import { randomNumbers } from './random-numbers.ts'

/** Limiters and managers on one store, as in an application. */
export interface Players {
  readonly api: RateLimiter
  readonly login: RateLimiter
  readonly batches: RateLimiter
  readonly quotas: QuotaManager
  readonly penalties: PenaltyManager
  /** The latest decisions by the number of their operation, so that a settlement can name one. */
  readonly decisions: Map<number, Decision>
  /** The warnings of the limiters: their store failed, or they could not read its reply. */
  readonly failures: unknown[]
}

/** One call of the application. Resolves to its result. */
type Operation = (players: Players) => Promise<unknown>

/** One step of a history: time passes, then calls are made in one turn of the event loop. */
export interface LimiterStep {
  /** Microseconds since the step before. */
  readonly advance: number
  readonly operations: readonly Operation[]
}

const monthly: Quota = { name: 'exports', limit: 40, period: 'monthly', keyStrategy: 'user' }
const PENALTY = { threshold: 4, duration: 3, multiplier: 0.5, decayRate: 3600, cooldown: '300ms' } as const

/** The policies of an API after its settings were changed `generation` times. */
function apiPolicies(generation: number): (Policy | Quota)[] {
  const limit = [10, 7, 25][generation % 3] as number
  return [
    { name: 'bucket', limit, window: 3, burst: limit + 2, keyStrategy: 'user' },
    { name: 'address', limit: 12, window: 2, algorithm: 'sliding-window' },
    { ...monthly, limit: 40 + generation },
    { name: 'spare', limit: 30, window: 3, headroom: 0.4 },
    { name: 'trial', limit: 5, window: 4, algorithm: 'fixed-window', mode: 'shadow' },
  ]
}

const loginPolicies: Policy[] = [
  { name: 'login', limit: 4, window: 2, algorithm: 'fixed-window', blockDuration: '1500ms' },
  { name: 'flight', limit: 3, ttl: 5, algorithm: 'concurrency', keyStrategy: 'user' },
  { name: 'tries', limit: 6, window: 5, keyStrategy: 'user', burst: 3 },
]

const batchPolicies: Policy[] = [
  { name: 'batch', limit: 10, window: 2, keyStrategy: 'user' },
  { name: 'batch', limit: 10, window: 2, keyStrategy: 'user', headroom: 0.5 },
  // A deploy adds a blockDuration, or removes it. A larger plan shares the counter.
  { name: 'batch', limit: 10, window: 2, keyStrategy: 'user', blockDuration: '700ms' },
  { name: 'gold', counter: 'batch', limit: 20, window: 2, keyStrategy: 'user', blockDuration: '2s' },
]

const generations = Array.from({ length: 3 }, (_, i) => apiPolicies(i))

/** Makes the limiters and managers that a history is played on. */
export function playersOf(store: Store): Players {
  const warn = (): void => {}
  // The store decides everything, so a busy machine must not time it out.
  const failures: unknown[] = []
  const telemetry = { onStoreError: (error: unknown): unknown => failures.push(error) }
  const options = { store, warn, telemetry, storeTimeout: '60s', exemptPrivateIps: false } as const
  return {
    api: new RateLimiter({ ...options, policy: generations[0] as Policy[], penalty: PENALTY }),
    login: new RateLimiter({
      ...options,
      policy: loginPolicies,
      penalty: { ...PENALTY, recordOn: 'limited' },
    }),
    batches: new RateLimiter({ ...options, policy: batchPolicies[0] as Policy }),
    quotas: new QuotaManager(store, { warn, storeTimeout: '60s' }),
    penalties: new PenaltyManager({ store, config: PENALTY, warn, storeTimeout: '60s' }),
    decisions: new Map(),
    failures,
  }
}

/**
 * Writes a random history of an application's calls. It has checks at several costs, requests in flight and their releases, peeks,
 * settlements, resets, idempotency keys, partial grants, headroom, changed settings, and calls of the managers, alone and in bursts.
 */
export function randomLimiterHistory(seed: number, steps: number): LimiterStep[] {
  const random = randomNumbers(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const users = ['ann', 'bob']
  const request = (): RequestView => ({
    method: 'GET',
    path: '/things',
    ip: pick(['203.0.113.7', '198.51.100.1']),
    headers: {},
    request: { user: { id: pick(users) } },
  })
  const identity = (): Identity => pick([{ user: pick(users) }, { user: pick(users) }, { ip: '203.0.113.7' }])
  let made = 0
  let generation = 0

  const decided = (decide: (players: Players) => Promise<Decision>): Operation => {
    const number = made++
    return async players => {
      const decision = await decide(players)
      players.decisions.set(number, decision)
      players.decisions.delete(number - 40)
      return decision
    }
  }
  const check = (): Operation => {
    const [view, cost] = [request(), pick([1, 1, 1, 2, 2, 3, 5, 0, 60])]
    const idempotencyKey = random() < 0.08 ? `key${Math.floor(random() * 4)}` : undefined
    const policy = generations[generation] as Policy[]
    const least = cost > 1 && random() < 0.2 ? 1 : undefined
    return decided(({ api }) => api.check(view, { cost, least, policy, idempotencyKey }))
  }
  // Alone on a bucket, because its debt then tells the whole decision.
  const batch = (): Operation => {
    const [view, cost, policy] = [request(), pick([1, 4, 9]), pick(batchPolicies)]
    const least = cost > 1 && random() < 0.5 ? 1 : undefined
    return decided(({ batches }) => batches.check(view, { cost, least, policy }))
  }
  const login = (): Operation => {
    const [view, cost] = [request(), pick([1, 1, 1, 2])]
    return decided(players => players.login.check(view, { cost }))
  }
  const peek = (): Operation => {
    const [view, policy] = [request(), generations[generation] as Policy[]]
    return random() < 0.5 ? ({ api }) => api.peek(view, { policy }) : players => players.login.peek(view)
  }
  // Corrects a decision that was made before this turn.
  const correct = (before: number): Operation => {
    const [of, actual] = [before - 1 - Math.floor(random() * 12), pick([0, 0, 1, 2, 6, 1e12, 2 ** 60])]
    const isEnd = random() < 0.5
    return async ({ api, login: logins, decisions }) => {
      const decision = decisions.get(of)
      if (decision === undefined) return undefined
      // Either limiter can correct it, because both use one store.
      if (isEnd) return logins.release(decision)
      return api.settle(decision, actual).catch((error: unknown) => codeOf(error))
    }
  }
  const byHand = (): Operation => {
    const [user, cost] = [pick(users), pick([1, 2, 5])]
    return pick<Operation>([
      ({ quotas }) => quotas.consumeQuota(user, monthly, { cost }),
      ({ quotas }) => quotas.checkQuota(user, monthly, { cost }),
      ({ penalties }) => penalties.recordViolation(user, { severity: cost }),
      ({ penalties }) => penalties.getPenalty(user),
    ])
  }
  // Not in bursts, because Redis deletes by another command than it decides by.
  const alone = (): Operation => {
    const [user, whose, length] = [pick(users), identity(), pick(['1ms', '300ms', '3s'] as const)]
    return pick<Operation>([
      // The number of forgotten counters is not compared: a store may count one that has ended and is not removed yet.
      async ({ api }) => void (await api.reset(whose)),
      async players => void (await players.login.reset(whose)),
      ({ quotas }) => quotas.refundQuota(user, monthly, 2),
      ({ quotas }) => quotas.resetQuota(user, monthly),
      ({ penalties }) => penalties.clearPenalty(user),
      ({ penalties }) => penalties.applyPenalty(user, { duration: 2 }),
      async ({ api }) => api.pause(whose, { for: length }),
      async players => players.login.pause(whose, { for: length }),
      async players => players.batches.pause({ user }, { for: length }),
      async players => players.batches.pause({ user }, { for: length }),
    ])
  }

  return Array.from({ length: steps }, () => {
    const advance = pick([0, 0, 0, 1, 1_000, 40_000, 90_000, 250_000, 700_003, random() < 0.1 ? 6e6 : 333])
    if (random() < 0.03) generation = (generation + 1) % generations.length
    if (random() < 0.06) return { advance, operations: [alone()] }
    if (random() < 0.15) return { advance, operations: [correct(made), check()] }
    const burst = random() < 0.3 ? 2 + Math.floor(random() * 5) : 1
    const kinds = [check, check, check, check, login, login, batch, byHand]
    const operations = Array.from({ length: burst }, () => pick(kinds)())
    // The peek is last, because limiters send it a moment later than the calls beside it.
    return { advance, operations: random() < 0.2 ? [...operations, peek()] : operations }
  })
}

/** The code of an error, which is the same on every store. */
function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}
