// Calls that run over the end of a period.
import { afterAll, beforeAll, expect, it } from 'vitest'

import { loadCore, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import { alice, withBudget } from './budget-world.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

it('a settlement that the store misses is paid in the period in which the call was settled', () =>
  withBudget(core, async ({ store, limiter, soon, pass, recover, read }) => {
    const call = await soon(limiter.reserve(alice, { cost: 100, ttl: '2m' }))
    await pass(61_000)
    store.begin('refused')
    await soon(call.settle(80))
    await recover()
    expect(await read()).toEqual([80, 0])
  }))

it('a settlement that the store misses is paid in no period after that in which the call was settled', () =>
  withBudget(core, async ({ store, limiter, soon, pass, recover, read }) => {
    const [early, late] = [
      await soon(limiter.reserve(alice, { cost: 100, ttl: '2m' })),
      await soon(limiter.reserve(alice, { cost: 100, ttl: '2m' })),
    ]
    await pass(59_000)
    store.begin('refused')
    await soon(early.settle(80))
    await pass(2000)
    await soon(late.settle(7))
    await recover()
    expect(await read()).toEqual([7, 0])
  }))

it('a use beyond a charge of the period before is paid, though the store is told of neither in time', () =>
  withBudget(core, async ({ store, limiter, soon, pass, recover, read }) => {
    store.begin('refused')
    const call = await soon(limiter.reserve(alice, { cost: 100 }))
    expect(call.decision.degraded).toBe('local')
    await pass(61_000)
    await soon(call.settle(130))
    await recover()
    expect(await read()).toEqual([30, 0])
  }))

it('a refund for the period before takes nothing from what this process pays in the present one', () =>
  withBudget(core, async ({ store, limiter, soon, pass, recover, read }) => {
    store.begin('refused')
    const call = await soon(limiter.reserve(alice, { cost: 100 }))
    await pass(61_000)
    await soon(limiter.consume(alice, { cost: 70 }))
    await soon(call.settle(40))
    await recover()
    expect(await read()).toEqual([70, 0])
  }))

it('a charge of this period and a refund of the period before are told apart', () =>
  withBudget(core, async ({ store, limiter, soon, pass, recover, read }) => {
    const [more, less] = [
      await soon(limiter.reserve(alice, { cost: 10 })),
      await soon(limiter.reserve(alice, { cost: 10 })),
    ]
    await pass(61_000)
    store.begin('refused')
    await soon(more.settle(13))
    await soon(less.settle(7))
    await recover()
    expect(await read()).toEqual([3, 0])
  }))

it('a call that held units in the period before does not pay from those that another one holds', () =>
  withBudget(core, async ({ limiter, other, soon, pass, useUp }) => {
    // Times of 7 h are counted in parts of 52.5 min, so that one of them has the end of the day in it.
    const ttl = '7h'
    await pass(59_000)
    const before = await soon(limiter.reserve(alice, { cost: 400, ttl }))
    await pass(2000)
    const call = await soon(other.reserve(alice, { cost: 400, ttl }))
    await useUp(600)
    expect(await soon(before.charge(400))).toBe(false)
    await soon(before.settle(0))
    expect(await soon(call.charge(400))).toBe(true)
  }))
