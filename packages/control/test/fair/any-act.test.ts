// Random acts of tenants and operators on shared limits, beside books that know nothing of shares.
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type Decision, RateLimiter, type RatePolicy, type Reservation } from '@halt/core'
import { Control } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '@halt/core/testing'

interface Act {
  readonly does: 'ask' | 'end' | 'change' | 'resetTenant' | 'peek'
  readonly tenant: number
  readonly cost: number
  readonly isPatient: boolean
  readonly used: number
  readonly after: number
}

const acts = (most: number): fc.Arbitrary<Act[]> =>
  fc.array(
    fc.record({
      does: fc.constantFrom(
        ...(['ask', 'ask', 'ask', 'ask', 'end', 'end', 'change', 'resetTenant', 'peek'] as const),
      ),
      tenant: fc.integer({ min: 0, max: 4 }),
      cost: fc.integer({ min: 0, max: most }),
      isPatient: fc.boolean(),
      used: fc.integer({ min: 0, max: 120 }).map(percent => percent / 100),
      after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400_000 })),
    }),
    { minLength: 20, maxLength: 80 },
  )

const policies = fc.record({
  limit: fc.integer({ min: 1, max: 40 }),
  burst: fc.integer({ min: 1, max: 40 }),
  mode: fc.constantFrom('enforce' as const, 'enforce' as const, 'shadow' as const),
  hasOwn: fc.boolean(),
  headroom: fc.constantFrom(0, 0, 0.25),
  // Whatever a function gives.
  weights: fc.array(fc.constantFrom<unknown>(1, 2, 5, 100, Number.NaN, 0, 'x', undefined, 1.5), {
    minLength: 5,
    maxLength: 5,
  }),
})

interface Asker {
  readonly user: { readonly id: string }
}

function aLimiter(numbers: object, weights: readonly unknown[], hasOwn: boolean) {
  const clock = new ManualClock(1_700_000_000_000)
  const store = new ReferenceStore(clock.now)
  const control = new Control({ store, warn: () => {} })
  const weight = ({ user }: Asker): number => {
    const found = weights[Number(user.id.slice(1))]
    if (found === 'x') throw new Error('no weight')
    return found as number
  }
  const fair = { by: ({ user }: Asker) => (user.id === 't4' ? undefined : user.id), weight }
  const shared = { name: 'shared', keyStrategy: 'shared', fair, ...numbers } as unknown as RatePolicy<Asker>
  const own: RatePolicy<Asker> = { name: 'own', limit: 12, window: '1s', keyExtractor: ({ user }) => user.id }
  const policy = hasOwn ? [shared, own] : shared
  const limiter = new RateLimiter<Asker>({ store, control, policy, warn: () => {}, exemptPrivateIps: false })
  const view = (tenant: number) => ({
    method: 'GET',
    path: '/',
    headers: {},
    ip: '203.0.113.7',
    request: { user: { id: `t${tenant}` } },
  })
  return { clock, control, limiter, view, shared }
}

it('random acts on a shared bucket admit no more than a plain book, and leave nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(policies, acts(12), async ({ limit, burst, mode, hasOwn, headroom, weights }, all) => {
      const numbers = { limit, burst, window: '1s', mode, headroom: () => headroom } as const
      const { clock, control, limiter, view } = aLimiter(numbers, weights, hasOwn)
      let [rate, capacity, asked] = [limit, burst, limit]
      // What was owed at the last charge, in millionths of a unit, and the rate of that time.
      let [base, since, rateThen] = [0, 0, limit]
      let now = 0
      const owed = (by: number): number =>
        base <= rateThen * (now - since) ? 0 : Math.max(0, base - by * (now - since))
      const write = (debt: number, by: number): void => void ([base, since, rateThen] = [debt, now, by])
      const open: { readonly call: Reservation; readonly charged: number }[] = []
      for (const { does, tenant, cost, isPatient, used, after } of all) {
        clock.advance(after / 1e6)
        now += after
        if (does === 'ask') {
          const units = Math.min(cost, capacity)
          const takesLess = isPatient && units > 1 && mode === 'enforce' && !hasOwn
          const call = await limiter.reserve(view(tenant), {
            cost: { shared: units },
            ...(takesLess ? { least: { shared: 1 } } : {}),
          })
          asked = rate
          const { decision } = call
          if (!decision.allowed || !decision.verdicts.find(({ policy }) => policy === 'shared')!.allowed)
            continue
          const charged = takesLess ? Math.min(decision.cost, units) : units
          if (charged > 0) write(owed(rate) + charged * 1e6, rate)
          // Never more than a plain bucket had left.
          if (charged > 0) expect(base).toBeLessThanOrEqual(capacity * 1e6)
          open.push({ call, charged })
        } else if (does === 'end' && open.length > 0) {
          const { call, charged } = open.splice(tenant % open.length, 1)[0]!
          const actual = Math.floor(charged * used)
          await call.settle({ shared: actual })
          if (actual === charged) continue
          // A correction keeps the numbers of the last charge while something is owed.
          const before = owed(rateThen)
          write(Math.max(0, before + (actual - charged) * 1e6), before > 0 ? rateThen : asked)
        } else if (does === 'change') {
          ;[rate, capacity] = [1 + ((rate * 7 + cost) % 40), 1 + ((capacity * 5 + tenant) % 40)]
          await control.change('shared', { limit: rate, burst: capacity })
        } else if (does === 'resetTenant') await limiter.reset({ custom: `t${tenant}` })
        else if (does === 'peek') {
          await limiter.peek(view(tenant))
          asked = rate
        }
      }
      for (const { call } of open) await call.cancel()
      clock.advance('1h')
      for (let tenant = 0; tenant < 5; tenant++) {
        const { policies, decision } = await limiter.explain(view(tenant))
        const { remaining } = decision!.verdicts.find(({ policy }) => policy === 'shared')!
        expect(remaining).toBe(capacity - Math.ceil(headroom * capacity))
        expect(policies.find(({ policy }) => policy === 'shared')!.fair?.ahead ?? 0).toBeLessThanOrEqual(0)
      }
      await limiter.close()
      control.close()
    }),
    { numRuns: isFull ? 100 : 50, endOnFailure: true },
  )
})

it('random acts on shared permits hold no more than a plain book has, and give all of them back', async () => {
  await fc.assert(
    fc.asyncProperty(policies, acts(3), async ({ limit: first, mode, hasOwn, weights }, all) => {
      const numbers = { algorithm: 'concurrency', limit: first, ttl: '2s', mode } as const
      const { clock, control, limiter, view } = aLimiter(numbers, weights, hasOwn)
      let [limit, now] = [first, 0]
      let held: { readonly decision: Decision; readonly cost: number; readonly until: number }[] = []
      const sum = (): number => held.reduce((units, { cost }) => units + cost, 0)
      for (const { does, tenant, cost: wanted, after } of all) {
        clock.advance(after / 1e6)
        now += after
        held = held.filter(({ until }) => until > now)
        if (does === 'ask') {
          const cost = Math.min(wanted, limit)
          const before = sum()
          const decision = await limiter.check(view(tenant), { cost: { shared: cost } })
          const { allowed } = decision.verdicts.find(({ policy }) => policy === 'shared')!
          // Nobody waits for a permit while all are free.
          if (before === 0) expect(allowed).toBe(true)
          if (!decision.allowed || !allowed || cost === 0) continue
          expect(before + cost).toBeLessThanOrEqual(limit)
          held.push({ decision, cost, until: now + 2e6 })
        } else if (does === 'end' && held.length > 0) {
          const [one] = held.splice(tenant % held.length, 1)
          await limiter.release(one!.decision)
        } else if (does === 'change') {
          limit = 1 + ((limit * 5 + tenant) % 40)
          await control.change('shared', { limit })
        } else if (does === 'resetTenant') await limiter.reset({ custom: `t${tenant}` })
        else if (does === 'peek') await limiter.peek(view(tenant))
      }
      for (const { decision } of held) await limiter.release(decision)
      for (let tenant = 0; tenant < 5; tenant++) {
        const { decision } = await limiter.explain(view(tenant))
        expect(decision!.verdicts.find(({ policy }) => policy === 'shared')!.remaining).toBe(limit)
        expect((await limiter.inspect({ custom: `t${tenant}` })).map(({ used }) => used)[0] ?? 0).toBe(0)
      }
      await limiter.close()
      control.close()
    }),
    { numRuns: isFull ? 100 : 50, endOnFailure: true },
  )
})
