import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { describe, expect, it, vi } from 'vitest'

import { presets, RateLimiter } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { WeakList } from '../../src/base/weak-list.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Collects garbage until an object is gone, or for a while. */
async function collected(ref: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    // In a task of its own, because a dereferenced WeakRef keeps its target alive until the task ends.
    await sleep(5)
    gc()
    await sleep(0)
    if (ref.deref() === undefined) return true
  }
  return false
}

function closable(): Store & { readonly close: ReturnType<typeof vi.fn<() => void>> } {
  return Object.assign(new ReferenceStore(Date.now), { close: vi.fn<() => void>() })
}

const limiterOn = (store: Store): RateLimiter => new RateLimiter({ store, policy: presets.PUBLIC_API })

describe('close()', () => {
  it('close() closes the store once, with the last open limiter that uses it', async () => {
    const store = closable()
    const [first, second, third] = [limiterOn(store), limiterOn(store), limiterOn(store)]
    await first.close()
    await first.close()
    await second.close()
    expect(store.close).not.toHaveBeenCalled()
    expect((await third.consume('x')).allowed).toBe(true)
    await third.close()
    expect(store.close).toHaveBeenCalledTimes(1)
    await Promise.all([first, second, third].map(limiter => limiter.close()))
    expect(store.close).toHaveBeenCalledTimes(1)
  })

  it('close() does not close the stores of other limiters', async () => {
    const stores = [closable(), closable()] as const
    const limiters = stores.map(limiterOn)
    await limiters[0]?.close()
    expect(stores.map(({ close }) => close.mock.calls.length)).toEqual([1, 0])
  })

  it('close() ignores a limiter that was garbage-collected', async () => {
    const store = closable()
    const limiter = limiterOn(store)
    const ref = await (async () => {
      const other = limiterOn(store)
      await other.consume('x')
      return new WeakRef(other)
    })()
    expect(await collected(ref)).toBe(true)
    await limiter.close()
    expect(store.close).toHaveBeenCalledTimes(1)
  })
})

describe('a limiter', () => {
  it('a limiter is garbage-collected with all its parts while its store lives and reports connections', async () => {
    const listeners: (() => void)[] = []
    const store = Object.assign(closable(), {
      onReconnect: (listener: () => void) => void listeners.push(listener),
    })
    const use = async (): Promise<WeakRef<object>> => {
      // All parts of a limiter reference its warn function.
      const warn = (warning: unknown): void => void `${String(warning)}${store.kind}`
      const limiter = new RateLimiter({ store, policy: presets.PUBLIC_API, warn })
      await limiter.consume('x')
      return new WeakRef(warn)
    }
    const refs = [await use(), await use(), await use()]
    for (const ref of refs) expect(await collected(ref)).toBe(true)
    // One listener in total, not one per limiter.
    expect(listeners.length).toBe(1)
    expect(() => listeners[0]?.()).not.toThrow()
  })
})

describe('a WeakList', () => {
  it('a WeakList keeps living objects in order, and drops collected ones', async () => {
    const list = new WeakList<{ readonly n: number }>()
    const kept = [{ n: 1 }, { n: 2 }, { n: 3 }]
    for (const item of kept) list.add(item)
    expect(list.delete(kept[1] as { n: number })).toBe(true)
    expect(list.delete(kept[1] as { n: number })).toBe(false)
    for (let round = 0; round < 5; round++) {
      const first = new WeakRef({ n: -1 })
      for (let i = 0; i < 1000; i++) list.add({ n: -1 })
      expect(await collected(first)).toBe(true)
    }
    expect([...list].length).toBeLessThan(10)
    expect([...list].filter(({ n }) => n > 0)).toEqual([{ n: 1 }, { n: 3 }])
  })
})
