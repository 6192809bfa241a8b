import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { WeakList, hasWeakRef, referTo } from '../../src/base/weak-list.ts'
import { ObservedStores, RateLimiter } from '../../src/index.ts'
import { world } from '../world.ts'

describe('where the runtime has no WeakRef', () => {
  beforeEach(() => void vi.stubGlobal('WeakRef', undefined))
  afterEach(() => void vi.unstubAllGlobals())

  it('a reference keeps its object where the runtime has no WeakRef', () => {
    const item = {}
    expect(hasWeakRef()).toBe(false)
    expect(referTo(item).deref()).toBe(item)
  })

  it('a list without WeakRef keeps the last 1000 objects, so that a limiter per request does not fill the memory', () => {
    const list = new WeakList<{ readonly n: number }>()
    const items = Array.from({ length: 2500 }, (_, n) => ({ n }))
    for (const item of items) list.add(item)
    expect([...list]).toEqual(items.slice(-1000))
    expect(list.delete(items[2000] as { n: number })).toBe(true)
    expect(list.delete(items[0] as { n: number })).toBe(false)
  })

  it('a store that two limiters share closes with the last of them where the runtime has no WeakRef', async () => {
    const { store } = world()
    const close = vi.fn<() => Promise<void>>(async () => {})
    const shared = Object.assign(store, { close })
    const policy = { name: 'p', limit: 1, window: 60 }
    const limiters = [new RateLimiter({ store: shared, policy }), new RateLimiter({ store: shared, policy })]
    await limiters[0]?.close()
    expect(close).not.toHaveBeenCalled()
    await limiters[1]?.close()
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('telemetry reads the sizes of the stores where the runtime has no WeakRef', () => {
    const stores = new ObservedStores()
    stores.add({ kind: 'memory', size: 3 })
    expect([...stores.sizes()]).toEqual([['memory', 3]])
  })
})
