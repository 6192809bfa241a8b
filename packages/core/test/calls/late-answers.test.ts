// Calls whose store answers after this process has decided without it: what was used is paid once.
import { afterAll, beforeAll, expect, it } from 'vitest'

import { loadCore, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import { alice, type BudgetWorld, withBudget } from './budget-world.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

const SLOW = { slow: '300ms' } as const

/** Reserves 100 units while the store answers too late. */
async function reserveLate({ store, limiter, pass }: BudgetWorld, ttl: string | undefined) {
  store.begin(SLOW)
  const reserving = limiter.reserve(alice, { cost: 100, ttl, chunk: 1 })
  await pass(150)
  const call = await reserving
  expect(call.decision.degraded).toBe('local')
  return call
}

it.each(['2m', undefined])('units that a call paid before its reservation was answered stay paid (%s)', ttl =>
  withBudget(core, async world => {
    const { store, soon, pass, read } = world
    const call = await reserveLate(world, ttl)
    store.end()
    expect(await soon(call.charge(150))).toBe(true)
    await pass(400)
    await soon(call.settle(150))
    expect(await read()).toEqual([150, 0])
  }),
)

it.each(['2m', undefined])('a payment without the store is told to the store later (%s)', ttl =>
  withBudget(core, async world => {
    const { store, soon, pass, recover, read } = world
    const call = await reserveLate(world, ttl)
    store.begin('refused')
    expect(await soon(call.charge(150))).toBe(true)
    await pass(400)
    await recover()
    await soon(call.settle(150))
    expect(await read()).toEqual([150, 0])
  }),
)

it('a payment that is under way when the reservation is answered is paid once', () =>
  withBudget(core, async world => {
    const { soon, pass, store, read } = world
    const call = await reserveLate(world, '2m')
    const paying = call.charge(150)
    await pass(150)
    store.end()
    expect(await paying).toBe(true)
    await pass(400)
    await soon(call.settle(150))
    expect(await read()).toEqual([150, 0])
  }))

it('a settlement that waits for a payment is made once though the reservation is answered meanwhile', () =>
  withBudget(core, async world => {
    const { pass, read } = world
    const call = await reserveLate(world, '2m')
    await pass(100)
    const paying = call.charge(130)
    const settling = call.settle(130)
    await pass(1000)
    await Promise.all([paying, settling])
    expect(await read()).toEqual([130, 0])
  }))

it('a payment that the store tells of after the call has ended is given back as far as it was not used', () =>
  withBudget(core, async ({ store, limiter, soon, pass, read }) => {
    const call = await soon(limiter.reserve(alice, { cost: 400, ttl: '1m' }))
    store.begin(SLOW)
    const paying = call.charge(50)
    await pass(150)
    expect(await paying).toBe(true)
    store.end()
    await soon(call.settle(10))
    expect(await read()).toEqual([50, 0])
    await pass(500)
    expect(await read()).toEqual([10, 0])
  }))

it('a reservation that the store answers late is held, kept and settled', () =>
  withBudget(core, async world => {
    const { store, soon, pass, read } = world
    const call = await reserveLate(world, '2s')
    expect(await soon(call.charge(30))).toBe(true)
    store.end()
    // Longer than the units are held at once.
    await pass(3000)
    expect([await read(), call.signal.aborted]).toEqual([[0, 100], false])
    expect(await soon(call.charge(20))).toBe(true)
    await soon(call.settle(50))
    expect(await read()).toEqual([50, 0])
  }))

it('a settlement before the reservation is answered leaves alone what the store is still to be told', () =>
  withBudget(core, async world => {
    const { store, limiter, soon, pass, recover, read } = world
    store.begin('refused')
    await soon(limiter.consume(alice, { cost: 70 }))
    const call = await reserveLate(world, undefined)
    await soon(call.settle(40))
    await pass(500)
    await recover()
    expect(await read()).toEqual([110, 0])
  }))

it('a payment that the store may not have heard of gives back nothing of others when the reservation is answered', () =>
  withBudget(core, async world => {
    const { store, soon, pass, useUp, read } = world
    await useUp(500)
    const call = await reserveLate(world, undefined)
    store.begin('hanging')
    const paying = call.charge(150)
    const settling = call.settle(0)
    await pass(110)
    expect(await paying).toBe(true)
    store.end()
    await soon(settling)
    await pass(500)
    expect(await read()).toEqual([500, 0])
  }))
