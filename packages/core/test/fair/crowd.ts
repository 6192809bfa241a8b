// Tenants that ask one limiter at their own rates, in simulated time.
import { RateLimiter, type RatePolicy } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '../../src/testing/index.ts'

/** A tenant that asks at a steady rate. */
export interface Asker {
  readonly name: string
  /** Requests a second. */
  readonly rate: number
  readonly weight?: number
  /** Units of each request. Default 1. */
  readonly cost?: number
  /** Milliseconds in which it asks; by default all. */
  readonly from?: number
  readonly to?: number
}

/** What a tenant got in a simulation. */
export interface Served {
  asked: number
  got: number
  /** The instants of its admissions, in milliseconds. */
  readonly at: number[]
}

/** A bucket that tenants share. */
export function shared(limit: number, burst = limit): RatePolicy<Asker> {
  return {
    name: 'backend',
    limit,
    burst,
    window: '1s',
    keyStrategy: 'shared',
    fair: { by: asker => asker.name, weight: asker => asker.weight ?? 1 },
  }
}

/** Lets tenants ask for some milliseconds. Counts from `countsFrom` on. */
export async function crowd(
  policy: RatePolicy<Asker>,
  askers: readonly Asker[],
  ms: number,
  countsFrom = ms / 2,
): Promise<Record<string, Served>> {
  const clock = new ManualClock(1_700_000_000_000)
  const store = new ReferenceStore(clock.now)
  const limiter = new RateLimiter<Asker>({ store, policy, warn: () => {}, exemptPrivateIps: false })
  const served: Record<string, Served> = {}
  const due = askers.map((_, i) => (i * 0.618) % 1)
  for (const { name } of askers) served[name] = { asked: 0, got: 0, at: [] }
  for (let now = 0; now < ms; now++) {
    clock.advance('1ms')
    for (const [i, asker] of askers.entries()) {
      if (now < (asker.from ?? 0) || now >= (asker.to ?? ms)) continue
      due[i]! += asker.rate / 1000
      for (; due[i]! >= 1; due[i]!--) {
        const view = { method: 'GET', path: '/', headers: {}, ip: '203.0.113.7', request: asker }
        const { allowed } = await limiter.checkView(view, { cost: asker.cost ?? 1 })
        if (now < countsFrom) continue
        const own = served[asker.name]!
        own.asked += asker.cost ?? 1
        if (!allowed) continue
        own.got += asker.cost ?? 1
        own.at.push(now)
      }
    }
  }
  return served
}

/** Jain's index: 1 if all get the same. */
export function jain(amounts: readonly number[]): number {
  const sum = amounts.reduce((a, b) => a + b, 0)
  return sum ** 2 / (amounts.length * amounts.reduce((a, b) => a + b * b, 0))
}

/** The weighted max-min shares of a rate, by water filling. */
export function maxMin(rate: number, askers: readonly Asker[]): number[] {
  const shares = askers.map(() => 0)
  let open = askers.map((_, i) => i)
  let left = rate
  while (open.length > 0) {
    const weights = open.reduce((sum, i) => sum + (askers[i]!.weight ?? 1), 0)
    const level = left / weights
    const full = open.filter(i => demandOf(askers[i]!) <= level * (askers[i]!.weight ?? 1))
    for (const i of full.length > 0 ? full : open)
      shares[i] = full.length > 0 ? demandOf(askers[i]!) : level * (askers[i]!.weight ?? 1)
    if (full.length === 0) break
    left -= full.reduce((sum, i) => sum + demandOf(askers[i]!), 0)
    open = open.filter(i => !full.includes(i))
  }
  return shares
}

function demandOf({ rate, cost = 1 }: Asker): number {
  return rate * cost
}
