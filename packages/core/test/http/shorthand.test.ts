import { describe, expect, it, vi } from 'vitest'

import { presets } from '../../src/index.ts'
import { limiterOf } from '../../src/http/index.ts'
import type { Store } from '../../src/store/index.ts'
import { mistake, world } from '../world.ts'

const { store, limiter } = world()
const makeStore = (): Store => store

describe('limiterOf', () => {
  it('takes the limiter that is given', () => {
    const one = limiter(presets.PUBLIC_API)
    const make = vi.fn<() => Store>(makeStore)
    expect(limiterOf({ limiter: one }, make)).toBe(one)
    expect(limiterOf({ limiter: one, policy: presets.STRICT_API, store: undefined, cost: 5 }, make)).toBe(one)
    expect(make).not.toHaveBeenCalled()
  })

  it('makes one of the limiter’s options among an adapter’s, with a store where none is given', () => {
    const made = limiterOf(
      { policy: presets.PUBLIC_API, callbackTimeout: '2s', cost: 5, skip: () => true },
      makeStore,
    )
    expect(made.store).toBe(store)
    expect(made.callbackTimeout).toBe(2000)
    const own = world().store
    expect(limiterOf({ policy: presets.PUBLIC_API, store: own }, makeStore).store).toBe(own)
  })

  it('takes a limiter of another copy of the package', () => {
    const foreign = { decide: () => {} }
    expect(limiterOf({ limiter: foreign }, makeStore)).toBe(foreign)
  })

  it.each([
    [{ limiter: limiter(presets.PUBLIC_API), store }, 'HALT_E_LIMITER'],
    [{ limiter: limiter(presets.PUBLIC_API), trustedProxies: [] }, 'HALT_E_LIMITER'],
    [{ limiter: {} }, 'HALT_E_LIMITER'],
    [{ limiter: null }, 'HALT_E_LIMITER'],
    [{}, 'HALT_E_POLICY'],
    [{ policy: { name: 'p' } }, 'HALT_E_LIMIT'],
  ])('refuses what is both, neither or wrong: %#', (options, code) => {
    expect(mistake(() => limiterOf(options, makeStore)).code).toBe(code)
  })
})
