import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'

import { CompositeTelemetry, ObservedStores } from '../../src/index.ts'
import { world } from '../world.ts'

describe('onStore', () => {
  it('onStore gets the store of each limiter once, in every telemetry', () => {
    const [one, other] = [vi.fn<() => void>(), vi.fn<() => void>()]
    const { limiter, store } = world()
    const telemetry = new CompositeTelemetry({ onStore: one }, { onStore: other })
    limiter({ name: 'p', limit: 1, window: 60 }, { telemetry })
    expect(one.mock.calls).toEqual([[store]])
    expect(other.mock.calls).toEqual([[store]])
  })
})

describe('ObservedStores', () => {
  it('ObservedStores sums the counters of each kind, without stores that have no size', () => {
    const stores = new ObservedStores()
    const first = { kind: 'memory', size: 3 }
    for (const store of [first, { kind: 'memory', size: 4 }, { size: 5 }, { kind: 'redis' }, first])
      stores.add(store)
    expect([...stores.sizes()]).toEqual([
      ['memory', 7],
      ['custom', 5],
    ])
    Object.assign(first, { size: 0 })
    expect(stores.sizes().get('memory')).toBe(4)
  })

  it('ObservedStores keeps at most 100 stores', () => {
    const stores = new ObservedStores()
    const all = Array.from({ length: 1000 }, () => ({ size: 1 }))
    for (const store of all) stores.add(store)
    expect(stores.sizes().get('custom')).toBe(100)
    expect(all).toHaveLength(1000)
  })

  it('ObservedStores holds stores weakly', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const stores = new ObservedStores()
    for (let i = 0; i < 50; i++) stores.add({ size: 1 })
    await new Promise(resolve => setImmediate(resolve))
    collect()
    expect(stores.sizes().get('custom') ?? 0).toBeLessThan(50)
  })
})
