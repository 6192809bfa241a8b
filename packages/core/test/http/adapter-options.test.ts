import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'

import { type HaltWarning, presets, type RateLimiter } from '../../src/index.ts'
import { limiterOf, forgetDefaultStore } from '../../src/http/index.ts'
import type { Group, Store, Evaluation } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { mistake, view, world } from '../world.ts'

const { store, limiter } = world()
const makeStore = (): Store => store

/** A store with a size, as the memory store has. */
class CountedStore extends ReferenceStore {
  size = 0

  override evaluate(group: Group): Evaluation {
    this.size++
    return super.evaluate(group)
  }
}

describe('limiterOf', () => {
  it('limiterOf returns the given limiter', () => {
    const one = limiter(presets.PUBLIC_API)
    const make = vi.fn<() => Store>(makeStore)
    expect(limiterOf({ limiter: one }, make)).toBe(one)
    expect(limiterOf({ limiter: one, policy: presets.STRICT_API, store: undefined, cost: 5 }, make)).toBe(one)
    expect(make).not.toHaveBeenCalled()
  })

  it('limiterOf makes a limiter from the limiter options of an adapter, with a default store', () => {
    const made = limiterOf(
      { policy: presets.PUBLIC_API, callbackTimeout: '2s', cost: 5, skip: () => true },
      makeStore,
    )
    expect(made.store).toBe(store)
    expect(made.callbackTimeout).toBe(2000)
    const own = world().store
    expect(limiterOf({ policy: presets.PUBLIC_API, store: own }, makeStore).store).toBe(own)
  })

  it('limiterOf accepts a limiter of another copy of the package', () => {
    const foreign = { check: () => {} }
    expect(limiterOf({ limiter: foreign }, makeStore)).toBe(foreign)
  })

  describe('with a policy of one name twice', () => {
    const code = 'HALT_W_COUNTER_SPLIT'
    /** Builds a limiter as adapters do. Each test uses policy names of its own. */
    const build = (name: string, more: object = {}): { made: RateLimiter; codes: string[] } => {
      const codes: string[] = []
      const warn = (warning: HaltWarning): void => void codes.push(warning.code)
      const make = (): Store => new CountedStore(Date.now)
      const made = limiterOf({ policy: { name, limit: 5, window: 60 }, warn, ...more }, make) as RateLimiter
      return { made, codes }
    }

    it('two default stores with a policy of one name are warned of once, with the way to share one', () => {
      const first = build('twice')
      const warnings: HaltWarning[] = []
      build('twice', { warn: (warning: HaltWarning) => warnings.push(warning) })
      expect(first.codes).toEqual([])
      expect(warnings.map(warning => warning.code)).toEqual([code])
      expect(warnings[0]?.message).toContain('"twice"')
      expect(warnings[0]?.fix).toContain('halt({ limiter })')
      expect(first.made.policies.length).toBe(1)
    })

    it('limiters that share a limiter or a store, or have different counters, are not warned of', () => {
      const { made } = build('shared')
      expect(limiterOf({ limiter: made }, makeStore)).toBe(made)
      const given = { store: new CountedStore(Date.now) }
      expect(build('shared', given).codes).toEqual([])
      expect(build('shared', given).codes).toEqual([])
      const policy = { name: 'shared', limit: 5, window: 60 }
      expect(build('x', { policy: { ...policy, counter: 'other' } }).codes).toEqual([])
      expect(build('x', { policy: { ...policy, mode: 'off' } }).codes).toEqual([])
      expect(build('x', { policy: () => policy }).codes).toEqual([])
      expect(made.policies.length).toBe(1)
    })

    it('an app that has served requests, has ended, or was collected causes no warning', async () => {
      const used = build('used')
      await used.made.check(view())
      expect(build('used').codes).toEqual([])
      const ended = build('ended')
      forgetDefaultStore(ended.made)
      expect(build('ended').codes).toEqual([])
      const collect = (): void => void build('gone')
      collect()
      setFlagsFromString('--expose-gc')
      const gc = runInNewContext('gc') as () => void
      await new Promise(resolve => void setTimeout(resolve, 1))
      gc()
      expect(build('gone').codes).toEqual([])
      expect([used, ended].length).toBe(2)
    })
  })

  it.each([
    [{ limiter: limiter(presets.PUBLIC_API), store }, 'HALT_E_LIMITER'],
    [{ limiter: limiter(presets.PUBLIC_API), trustedProxies: [] }, 'HALT_E_LIMITER'],
    [{ limiter: {} }, 'HALT_E_LIMITER'],
    [{ limiter: null }, 'HALT_E_LIMITER'],
    [{}, 'HALT_E_POLICY'],
    [{ policy: { name: 'p' } }, 'HALT_E_LIMIT'],
  ])('limiterOf refuses both, neither, or wrong options: %#', (options, code) => {
    expect(mistake(() => limiterOf(options, makeStore)).code).toBe(code)
  })
})
