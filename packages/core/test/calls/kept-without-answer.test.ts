// Units that a process keeps held while the store fails, and the limiter closes.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

import { loadCore, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import { alice, withBudget } from './budget-world.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

it('units whose keeping the store refused once are still those of the call, and are not held twice', () =>
  withBudget(core, async ({ store, limiter, soon, pass, read }) => {
    const call = await soon(limiter.reserve(alice, { cost: 600, ttl: '6s' }))
    await pass(1900)
    store.begin('refused')
    await pass(200)
    store.end()
    await pass(2000)
    expect([await read(), call.signal.aborted]).toEqual([[0, 600], false])
    expect(await soon(call.charge(1000))).toBe(true)
  }))

it('units that the store keeps without an answer are not lost while their time lasts', () =>
  withBudget(core, async ({ store, limiter, soon, pass, read }) => {
    const call = await soon(limiter.reserve(alice, { cost: 600, ttl: '6s' }))
    await pass(1900)
    store.begin('hanging')
    await pass(1000)
    store.end()
    await pass(7000)
    expect([await read(), call.signal.aborted]).toEqual([[0, 600], false])
    await soon(call.settle(600))
    expect(await read()).toEqual([600, 0])
  }))

it('units that the store moves without an answer stay with the call, and are free when it ends', () =>
  withBudget(
    core,
    async ({ store, limiter, soon, pass, read }) => {
      const call = await soon(limiter.reserve(alice, { cost: 600, ttl: '2s' }))
      await pass(600)
      const asked = vi.spyOn(store, 'evaluate')
      store.begin({ slow: '500ms' })
      // There is no room for these units twice. After a third of their time the process holds them anew, and gives the store 100 ms for an answer.
      await pass(200)
      expect(asked).toHaveBeenCalledTimes(1)
      store.end()
      await pass(3000)
      expect([await read(), call.signal.aborted]).toEqual([[0, 600], false])
      await soon(call.settle(0))
      expect(await read()).toEqual([0, 0])
    },
    { onStoreError: 'closed' },
  ))

it('units that others have used meanwhile are lost when their time is over', () =>
  withBudget(core, async ({ store, limiter, soon, pass, useUp }) => {
    const call = await soon(limiter.reserve(alice, { cost: 600, ttl: '6s' }))
    await pass(1900)
    store.begin('hanging')
    await pass(6000)
    await useUp(700)
    store.end()
    await pass(4000)
    expect(call.signal.aborted).toBe(true)
  }))

it('calls whose units have ended keep those that others have left, the first calls first', () =>
  withBudget(core, async ({ time, limiter, soon, pass, useUp, read }) => {
    const calls = []
    for (const cost of [300, 300, 200]) calls.push(await soon(limiter.reserve(alice, { cost, ttl: '6s' })))
    time.stall(8e6)
    await useUp(450)
    await pass(100)
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([false, true, true])
    expect(await read()).toEqual([450, 550])
    expect(await soon(calls[0]!.charge(300))).toBe(true)
    for (const call of calls.slice(1)) await soon(call.settle(0))
    expect(await read()).toEqual([750, 0])
  }))

it('units that are moved while the limiter closes are given back by the call that is settled meanwhile', () =>
  withBudget(core, async ({ store, limiter, soon, pass, read }) => {
    const call = await soon(limiter.reserve(alice, { cost: 400, ttl: '6s' }))
    await pass(1990)
    store.begin({ slow: '50ms' })
    await pass(20)
    const closing = limiter.close()
    const settling = call.settle(100)
    await pass(1000)
    await Promise.all([closing, settling])
    expect(await read()).toEqual([100, 0])
  }))
