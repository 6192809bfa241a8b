import { fakeOutage, ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it } from 'vitest'

import { gate, scene } from './scene.ts'

const ann = { userId: 'ann' }

describe('a call that waits for its turn', () => {
  const tools = {
    render: { algorithm: 'concurrency', limit: 1, ttl: '1m', delay: { maxWait: '1m' } },
  } as const

  it('runs when the one before it has ended, and is charged once', async () => {
    const { guard, left } = scene({ tools }, { store: new InMemoryStore() })
    const order: string[] = []
    const end = gate()
    const render = guard.wrap(
      'render',
      async (name: string, until?: Promise<void>) => {
        order.push(`${name} begins`)
        await until
        order.push(`${name} ends`)
      },
      ann,
    )
    const first = render('a', end.promise)
    await expect.poll(() => order).toEqual(['a begins'])
    const second = render('b')
    end.open()
    await Promise.all([first, second])
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
    expect(await left()).toMatchObject({ tool_render: 1, tool_calls: 98 })
  })

  it('gives its place back when its caller leaves', async () => {
    const { guard, limiter, left } = scene({ tools }, { store: new InMemoryStore() })
    const end = gate()
    const controller = new AbortController()
    const ran: string[] = []
    const render = guard.mcp(
      'render',
      async (args: { name: string }, _extra: { userId: string; signal?: AbortSignal }) => {
        ran.push(args.name)
        await end.promise
        return { content: [] }
      },
    )
    const extra = { ...ann }
    const first = render({ name: 'a' }, extra)
    await expect.poll(() => ran).toEqual(['a'])
    const second = render({ name: 'b' }, { ...extra, signal: controller.signal })
    await expect.poll(() => limiter.waiting).toBe(1)
    controller.abort(new Error('left'))
    await expect(second).rejects.toThrow('left')
    end.open()
    await first
    expect(ran).toEqual(['a'])
    expect(await left()).toMatchObject({ tool_render: 1, tool_calls: 99 })
  })
})

describe('a caller that leaves', () => {
  it('is charged nothing if its tool has not run yet, and may make the same call again', async () => {
    const controller = new AbortController()
    let ran = 0
    const { guard, left } = scene({
      repeats: 1,
      async who() {
        controller.abort(new Error('left'))
        return { user: 'ann' }
      },
    })
    const search = guard.mcp('search', (_extra: { userId?: string; signal: AbortSignal }) => ({
      content: [],
      ran: ++ran,
    }))
    await expect(search({ signal: controller.signal })).rejects.toThrow('left')
    expect(ran).toBe(0)
    expect(await left()).toEqual({ tool_calls: 100, everybody: 1000 })
    await search({ signal: new AbortController().signal })
    expect(ran).toBe(1)
  })
})

describe('a store that is away', () => {
  it('leaves each tool its local share of its limit', async () => {
    const store = fakeOutage(new InMemoryStore({ clock: new ManualClock().now }))
    const { guard } = scene(
      { tools: { send_mail: { limit: 4, window: '1h' } } },
      { store, instances: 2, storeTimeout: '50ms' },
    )
    let ran = 0
    const send = guard.wrap('send_mail', () => ++ran, ann)
    store.begin()
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => send()))
    // Half of 4, because two processes share the limit.
    expect(ran).toBe(2)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(4)
  })
})
