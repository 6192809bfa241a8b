// Shared by the tests of leases: processes whose calls to one store take time, and what they admitted at which instant.
import { expect, vi } from 'vitest'

import type { Policy, RateLimiter, RateLimiterOptions } from '../../src/index.ts'
import { type Evaluation, type Group, Mode, type Store } from '../../src/databases/index.ts'
import { type PassingWorld, passingWorld } from '../waiting/passing-world.ts'

/** Units that were admitted or refused at an instant, in milliseconds. */
export interface Use {
  readonly at: number
  /** The decision's place in the order of all decisions. */
  readonly order: number
  readonly units: number
  readonly allowed: boolean
  /** Whether the process decided without a call to the store. */
  readonly isLocal: boolean
}

/** Processes that share one store, and what they decided. */
export interface Processes extends PassingWorld {
  readonly limiters: readonly RateLimiter[]
  readonly uses: Use[]
  /** The groups that the store evaluated, in order. */
  readonly groups: Group[]
  /** Asks for units in one process, and notes the decision at the instant at which it was made. */
  readonly use: (process: number, units: number) => Promise<void>
  /** Tells each process that its store has connected again. */
  readonly reconnect: () => void
}

/** Makes processes that share one store. Needs fake timers. */
export function processes(
  count: number,
  policy: RateLimiterOptions['policy'],
  {
    delay = () => 0,
    isAway = () => false,
    ...options
  }: Partial<RateLimiterOptions> & { delay?: () => number; isAway?: () => boolean } = {},
): Processes {
  const own = passingWorld()
  const groups: Group[] = []
  const connections: (() => void)[] = []
  const decided = new Map<Group, Pick<Use, 'at' | 'order'>>()
  let decisions = 0
  const decide = (): Pick<Use, 'at' | 'order'> => ({ at: own.now(), order: decisions++ })
  const wait = (ms: number): Promise<void> | undefined =>
    ms === 0 ? undefined : new Promise(resolve => void setTimeout(resolve, ms))
  const evaluate = async (group: Group): Promise<Evaluation> => {
    groups.push(group)
    await wait(delay())
    if (isAway()) throw Object.assign(new Error('away'), { unsent: true })
    decided.set(group, decide())
    const evaluation = own.store.evaluate(group)
    await wait(delay())
    return evaluation
  }
  const store = (): Store => ({
    kind: 'shared',
    clock: () => own.store.clock(),
    instances: () => count,
    evaluate,
    forget: counters => own.store.forget(counters),
    onReconnect: listener => void connections.push(listener),
  })
  const limiters = Array.from({ length: count }, () => own.limiter(policy, { store: store(), ...options }))
  const uses: Use[] = []
  return {
    ...own,
    limiters,
    uses,
    groups,
    reconnect: () => {
      for (const reconnected of connections) reconnected()
    },
    use: async (process, units) => {
      const before = groups.length
      const answer = (limiters[process] as RateLimiter).consume('s', { cost: units })
      const here = decide()
      const asked = groups.slice(before).find(({ demands }) => demands[0]?.terms === undefined)
      await vi.advanceTimersByTimeAsync(0)
      const { allowed } = await answer
      const when = asked === undefined ? here : (decided.get(asked) as typeof here)
      uses.push({ ...when, units, allowed, isLocal: asked === undefined })
    },
  }
}

/** The units that groups charged or gave back in advance. */
export function taken(groups: readonly Group[]): { takes: number; returns: number; exact: number } {
  const only = groups.map(({ demands }) => demands[0])
  return {
    takes: only.filter(demand => demand?.terms?.least !== undefined).length,
    returns: only.filter(demand => demand?.mode === Mode.SETTLE).length,
    exact: only.filter(demand => demand?.mode === Mode.CHARGE && demand.terms === undefined).length,
  }
}

/** A window of which each process takes a tenth in advance. */
export const HOT: Policy = {
  name: 'hot',
  limit: 200,
  window: '10m',
  algorithm: 'fixed-window',
  keyStrategy: 'shared',
  lease: { share: 0.1, idle: '10s' },
}

/** Asks for single units, one a millisecond, until the process holds units that it has not used. */
export async function warm(hot: Processes): Promise<void> {
  for (let i = 0; i < 30; i++) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  expect(taken(hot.groups).takes).toBeGreaterThan(0)
}
