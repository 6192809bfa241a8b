import {
  type Policy,
  type Quota,
  QuotaManager,
  type QuotaUsage,
  RateLimiter,
  type Reservation,
} from '@halt/core'
import type { Group, Store } from '@halt/core/store'

import { type Bench, withStore } from './bench.ts'
import { type Account, type Budget, BudgetBook, type Entry, LIMITS } from './budget-book.ts'
import { randomNumbers } from './random-numbers.ts'
import type { Runner } from '../runner.ts'
import { seedsOf } from './seeds.ts'
import type { StoreFactory } from './store-factory.ts'

const SECOND = 1e6
const HOUR = 3600 * SECOND
const TEAMS: Readonly<Record<string, string>> = { ann: 'red', bob: 'red', cleo: 'blue' }
const USERS = Object.keys(TEAMS)
const ACCOUNTS: readonly Account[] = [
  ...USERS.map((user): Account => `user_day ${user}`),
  ...new Set(Object.values(TEAMS).map((team): Account => `team_month ${team}`)),
]
const SHARES = [0.8, 1]
// In hours. No process lives for a third of such a time here, so none of them keeps its units.
const LENGTHS = [1, 1.5, 2, 3, 4, 5, 7, 9, 12, 16, 20, 24]

const quotas: Readonly<Record<Budget, Quota>> = {
  user_day: { name: 'user_day', limit: LIMITS.user_day, period: 'daily', status: 402, unit: 'usd-micro' },
  team_month: {
    name: 'team_month',
    limit: LIMITS.team_month,
    period: 'monthly',
    status: 402,
    keyExtractor: (request: unknown) => (request as { team: string }).team,
  },
}
const policy: readonly (Policy | Quota)[] = [
  quotas.user_day,
  quotas.team_month,
  { name: 'tokens', limit: 4000, window: 60, keyStrategy: 'user' },
]

/** An open or a dead call, as the book knows it. */
interface Call {
  readonly call: Reservation
  readonly entries: readonly Entry[]
  /** Until when the units are held at least, and at most. */
  readonly from: number
  readonly to: number
}

/**
 * Several processes use budgets of users and teams for weeks: calls reserve, hold, pay, settle, abort or die, operators top up and reset.
 * No budget is passed, every unit is accounted for, each refusal says the right reason, and each share is told of once.
 */
export function testBudgetHistory({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const { steps = 500, oneInstant = true } = factory
  // The budgets of a call are of two subjects.
  if (!oneInstant) return
  describe('budgets over weeks', () => {
    for (const seed of seedsOf(factory, 3))
      it(`budgets of several processes agree with a book over ${Math.min(Math.ceil(steps / 2), 150)} steps (${seed})`, () =>
        withStore(factory, bench => play(bench, seed)))
  })

  async function play(bench: Bench, seed: number): Promise<void> {
    const random = randomNumbers(seed)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
    const book = new BudgetBook(() => bench.now)
    const told: string[] = []
    const nameOf = (account: Account, share: number): string =>
      `${book.part(account)} ${book.limit(account)} ${share}`
    const telemetry = {
      onQuotaThreshold: (key: string, { name }: QuotaUsage, share: number) =>
        void told.push(nameOf(`${name} ${key.slice(key.indexOf(':') + 1)}` as Account, share)),
    }
    const warn = (): void => {}
    const options = { store: onlyAsking(bench), policy, telemetry, warn, storeTimeout: '60s' } as const
    const processes = [0, 1, 2].map(() => new RateLimiter({ ...options, exemptPrivateIps: false }))
    const manager = new QuotaManager(options.store, { warn, storeTimeout: '60s' })
    const whoseOf = (account: Account): [Budget, { user: string } | { custom: string }] => {
      const [budget, id] = account.split(' ') as [Budget, string]
      return [budget, budget === 'user_day' ? { user: id } : { custom: id }]
    }
    const read = async (account: Account): Promise<QuotaUsage> => {
      const [budget, whose] = whoseOf(account)
      return (await manager.checkQuota(whose, quotas[budget])).quota
    }
    const readAll = async (): Promise<QuotaUsage[]> => Promise.all(ACCOUNTS.map(read))
    let calls: Call[] = []
    const crossed = new Set<string>()
    const before = new Map<string, number>()

    const check = async (isGrant: boolean): Promise<void> => {
      const found = await readAll()
      for (const [i, account] of ACCOUNTS.entries()) {
        const { used, held, limit, granted } = found[i] as QuotaUsage
        let [least, most] = [0, 0]
        for (const { entries, from, to } of calls)
          for (const { account: own, held: rest, heldIn } of entries) {
            if (own !== account || heldIn !== book.period(account)) continue
            if (bench.now < from) least += rest
            if (bench.now < to) most += rest
          }
        expect([account, used, limit + granted]).toEqual([account, book.used(account), book.limit(account)])
        expect([account, held >= least, held <= most]).toEqual([account, true, true])
        if (!book.overdrawn.has(book.period(account))) expect(used + held <= limit + granted).toBe(true)
        const last = before.get(book.part(account)) ?? 0
        const newly = SHARES.filter(
          share => last < share * book.limit(account) && used >= share * book.limit(account),
        )
        const highest = newly.at(-1)
        if (highest !== undefined && !isGrant && !crossed.has(nameOf(account, highest))) {
          await isTold(told, nameOf(account, highest))
          expect([highest, told.includes(nameOf(account, highest))]).toEqual([highest, true])
        }
        for (const share of newly) crossed.add(nameOf(account, share))
        before.set(book.part(account), used)
      }
      expect(told.filter(name => !crossed.has(name))).toEqual([])
    }

    /** Whether a cost fits, by what the counters say; else the reason of the budget that refuses longest. */
    const judge = async (accounts: readonly Account[], cost: number): Promise<Set<string>> => {
      const reasons = new Set<string>()
      for (const account of accounts) {
        const { used, held, limit, granted } = await read(account)
        if (used + held + cost <= limit + granted) continue
        reasons.add(
          used + cost <= limit + granted && held > 0
            ? 'held'
            : cost > limit
              ? 'cost-exceeds-limit'
              : 'quota-exceeded',
        )
      }
      return reasons
    }

    const step = async (): Promise<boolean> => {
      const limiter = pick(processes)
      const user = pick(USERS)
      const accounts: Account[] = [`user_day ${user}`, `team_month ${TEAMS[user]}`]
      const view = {
        method: 'POST',
        path: '/',
        ip: '203.0.113.7',
        headers: {},
        request: { user: { id: user }, team: TEAMS[user] },
      }
      const act = pick([
        'consume',
        'reserve',
        'reserve',
        'reserve',
        'charge',
        'charge',
        'settle',
        'settle',
        'cancel',
        'die',
        'grant',
        'reset',
      ])
      const open = calls.filter(({ call }) => !dead.has(call))
      const one = open.length > 0 ? pick(open) : undefined
      switch (act) {
        case 'consume':
        case 'reserve': {
          const units = pick([20, 70, 70, 150, 150, 300, 300, random() < 0.1 ? 501 : 300])
          const cost = { user_day: units, team_month: units, tokens: units }
          const reasons = await judge(accounts, units)
          const hours = act === 'reserve' && random() < 0.5 ? pick(LENGTHS) : undefined
          const call =
            act === 'reserve'
              ? await limiter.reserve(view, {
                  cost,
                  chunk: 1,
                  ttl: hours === undefined ? undefined : `${hours * 60}m`,
                })
              : undefined
          const { allowed, reason, policy: name } = call?.decision ?? (await limiter.check(view, { cost }))
          if (name !== 'tokens' || allowed)
            expect([allowed, reason === 'ok' || reasons.has(reason)]).toEqual([reasons.size === 0, true])
          if (!allowed) return false
          if (call === undefined) for (const account of accounts) book.add(account, units)
          else
            calls.push({
              call,
              entries: accounts.map(account => book.reserve(account, units, hours !== undefined)),
              from: bench.now + (hours ?? 0) * HOUR,
              to: bench.now + (hours ?? 0) * HOUR * 1.25,
            })
          return false
        }
        case 'charge': {
          if (one === undefined) return false
          const more = pick([1, 10, 40, 200])
          if (await one.call.charge(more)) for (const entry of one.entries) book.charge(entry, more)
          else
            expect(one.call.refusal?.reason === 'held' || one.call.refusal?.reason === 'quota-exceeded').toBe(
              true,
            )
          return false
        }
        case 'settle':
        case 'cancel': {
          if (one === undefined) return false
          const [{ estimate, used }] = one.entries as [Entry]
          const actual = act === 'cancel' ? 0 : Math.max(used, Math.floor(estimate * random()))
          await (act === 'cancel' ? one.call.cancel() : one.call.settle(actual))
          for (const entry of one.entries) book.settle(entry, actual)
          calls = calls.filter(other => other !== one)
          return false
        }
        case 'die':
          if (one !== undefined) dead.add(one.call)
          return false
        default: {
          const account = pick(ACCOUNTS)
          const [budget, whose] = whoseOf(account)
          if (act === 'reset') {
            await manager.resetQuota(whose, quotas[budget])
            book.reset(account)
          } else if (random() < 0.4) {
            await manager.grantQuota(whose, quotas[budget], 100)
            book.grant(account, 100)
            return true
          }
          return false
        }
      }
    }
    const dead = new Set<Reservation>()
    for (let i = 0; i < Math.min(Math.ceil(steps / 2), 150); i++) {
      bench.now += pick([
        0,
        0,
        1,
        SECOND,
        20 * SECOND,
        60 * SECOND,
        60 * SECOND,
        HOUR,
        random() < 0.2 ? 26 * HOUR : HOUR / 2,
      ])
      if (random() < 0.3) await check(false)
      await check(await step())
    }
    expect([told.length > 0, told.length]).toEqual([true, new Set(told).size])
    await Promise.all(processes.map(limiter => limiter.close()))
  }
}

/** Waits until a share is told of: that takes one more call of the store than the decision. It waits for five seconds at the most. */
async function isTold(told: readonly string[], name: string): Promise<void> {
  const until = performance.now() + 5_000
  while (!told.includes(name) && performance.now() < until)
    await new Promise(resolve => void setTimeout(resolve, 1))
}

/** A store that is not closed with the limiters of a test. */
function onlyAsking({ store }: Bench): Store {
  return {
    evaluate: async (group: Group) => store.evaluate(group),
    forget: async counters => store.forget(counters),
    clock: () => store.clock?.(),
  }
}
