// Quotas that have refused a call, before their store loses its connection or its counters.
import { afterAll, beforeAll, expect, it } from 'vitest'

import { alice, type BudgetWorld, withBudget } from '../calls/budget-world.ts'
import { loadCore, unloadCore, type VirtualCore } from '../line/virtual-core.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

/** A store that answers later, because only its refusals are remembered. */
const play = (test: (world: BudgetWorld) => Promise<void>): Promise<void> => withBudget(core, test, {}, 0)

/** Loses the connection, and gets it back. */
async function reconnect({ store, limiter, soon, recover }: BudgetWorld): Promise<void> {
  store.begin('refused')
  await soon(limiter.consume(alice, { cost: 0 }), 10)
  await recover()
}

const used = async ({ read }: BudgetWorld): Promise<number | undefined> => (await read())[0]

it('a quota that another process has raised since admits again, though the connection was lost', () =>
  play(async world => {
    const { limiter, soon, pass, useUp } = world
    await pass(61_000)
    await useUp(900)
    expect((await soon(limiter.consume(alice, { cost: 101 }))).allowed).toBe(false)
    // Another process does not tell this one.
    await world.grant(500)
    await reconnect(world)
    const after = await soon(limiter.consume(alice, { cost: 1 }))
    expect([after.allowed, after.reason, await used(world)]).toEqual([true, 'ok', 901])
  }))

it('a quota whose units other calls held and have given back admits again after a reconnection', () =>
  play(async world => {
    const { limiter, other, soon, pass } = world
    await pass(61_000)
    const holder = await soon(other.reserve(alice, { cost: 500, ttl: '2m' }))
    expect((await soon(limiter.consume(alice, { cost: 501 }))).allowed).toBe(false)
    await soon(holder.settle(5))
    await reconnect(world)
    expect((await soon(limiter.consume(alice, { cost: 1 }))).allowed).toBe(true)
  }))

it('a quota starts afresh in a store that comes back without it, though several processes know its use', () =>
  play(async world => {
    const { limiter, other, store, soon, pass, useUp } = world
    await pass(61_000)
    await useUp(900)
    for (const own of [limiter, other])
      expect((await soon(own.consume(alice, { cost: 101 }))).allowed).toBe(false)
    await soon(Promise.resolve(store.forget([{ subject: 'user:42', counter: 'day:q' }])))
    await reconnect(world)
    expect(await used(world)).toBe(0)
  }))
