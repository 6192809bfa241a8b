import { type Demand, type Evaluation, type Group, Mode, type Rule, type Store } from '@halt/core/store'

import type { Runner } from '../runner.ts'
import { answerOf, type Bench, demandOf, ruleOf, withStore } from './bench.ts'
import type { StoreFactory } from './store-factory.ts'

const STORES = 4
const EACH = 60
/** So long the processes of a store may take to see each other, in milliseconds. */
const MEET_MS = 12_000

/** Tests stores that share their counters, as several processes do over one database. */
export function testSharing({ describe, it, expect }: Runner, factory: StoreFactory): void {
  if (factory.another === undefined) return
  /** Runs a test on several stores over one database. */
  const withStores = (test: (stores: readonly Store[], bench: Bench) => Promise<void>): Promise<void> =>
    withStore(factory, async bench => {
      const others: Store[] = []
      for (let i = 1; i < STORES; i++) others.push(await factory.another!(bench.store))
      try {
        await test([bench.store, ...others], bench)
      } finally {
        for (const other of others) await factory.end?.(other)
      }
    })
  const window = ruleOf('fixed-window', { limit: 100, window: 3600 })
  const ask = async (store: Store, demands: readonly Demand[]): Promise<Evaluation> =>
    store.evaluate({ demands })
  const left = async (store: Store, rule: Rule): Promise<number> => {
    const demand = demandOf(rule, 1, { mode: Mode.PEEK })
    return answerOf(demand, await ask(store, [demand])).remaining
  }

  describe('stores that share a database', () => {
    it('checks of several stores at the same time admit the limit, and no more', () =>
      withStores(async stores => {
        const all = stores.flatMap(store =>
          Array.from({ length: EACH }, () => ask(store, [demandOf(window)])),
        )
        const answers = await Promise.all(all)
        expect(answers.filter(({ allowed }) => allowed).length).toBe(100)
        expect(await left(stores[1]!, window)).toBe(0)
      }))

    it('groups that name the same counters in another order do not deadlock, and count once', () =>
      withStores(async stores => {
        const other = ruleOf('fixed-window', { limit: 70, window: 3600, counter: 'p_other' })
        const both = (at: number): Group['demands'] => {
          const demands = [demandOf(window), demandOf(other, 1, { subject: 'user:7' })]
          return at % 2 === 0 ? demands : demands.reverse()
        }
        const all = stores.flatMap(store => Array.from({ length: EACH }, (_, i) => ask(store, both(i))))
        const answers = await Promise.all(all)
        expect(answers.filter(({ allowed }) => allowed).length).toBe(70)
        // A group that is refused charges nothing.
        expect(await left(stores[2]!, window)).toBe(30)
      }))

    it('a charge, a refund and a reset of one store are those of all', () =>
      withStores(async ([first, second, third]) => {
        const { states, now } = await ask(first!, [demandOf(window, 100)])
        expect(await left(second!, window)).toBe(0)
        const chargedTo = states[0]?.[1] ?? now
        await ask(second!, [demandOf(window, -40, { mode: Mode.SETTLE, chargedTo })])
        expect(await left(third!, window)).toBe(40)
        expect(await third!.forget([{ subject: 'user:42', counter: window.counter }])).toBe(1)
        expect(await left(first!, window)).toBe(100)
      }))

    if (factory.instances !== false)
      it('every store counts all that decide', () =>
        withStores(async stores => {
          if (stores.some(store => store.instances === undefined)) return
          const ends = Date.now() + MEET_MS
          const counts = (): number[] => stores.map(store => store.instances!())
          while (counts().some(count => count !== STORES) && Date.now() < ends) {
            for (const store of stores) await ask(store, [demandOf(window, 0)])
            await new Promise(resolve => void setTimeout(resolve, 50))
          }
          expect(counts()).toEqual(stores.map(() => STORES))
        }))

    if (factory.hold !== undefined)
      it('a check of counters that another program holds is charged once, or not at all', () =>
        withStores(async ([first, second], bench) => {
          await ask(first!, [demandOf(window)])
          const letGo = await factory.hold!(bench.store)
          const held = [first!, second!].map(store => ask(store, [demandOf(window)]))
          const answers = Promise.allSettled(held)
          await new Promise(resolve => void setTimeout(resolve, 100))
          await letGo()
          const charged = (await answers).filter(({ status }) => status === 'fulfilled').length
          expect(await left(second!, window)).toBe(99 - charged)
          expect((await ask(first!, [demandOf(window)])).allowed).toBe(true)
        }))
  })
}
