import { usd } from '@halt/core'
import { describe, expect, it } from 'vitest'

import { gate, refusal, scene } from './scene.ts'

const ann = { userId: 'ann' }

describe('the same call again', () => {
  it('the same arguments more often than allowed are refused in words, in whatever order they come', async () => {
    const { guard, left, clock, warnings } = scene({ repeats: 2 })
    const search = guard.wrap('search', (query: object) => query, ann)
    await search({ query: 'x', page: 1 })
    await search({ page: 1, query: 'x' })
    expect(await refusal(search({ query: 'x', page: 1 }))).toEqual({
      reason: 'repeated',
      policy: 'tool_repeats',
      retryAfter: 660,
      message:
        'search was not run. It was called 2 times with exactly these arguments. Calling it again will not help. Use the result that you have, change the arguments, or tell the user that you are stuck.',
    })
    // Other arguments, another tool and another user are other calls.
    await search({ query: 'x', page: 2 })
    await guard.wrap('find', (query: object) => query, ann)({ query: 'x', page: 1 })
    await guard.wrap('search', (query: object) => query, { userId: 'ben' })({ query: 'x', page: 1 })
    expect(await left()).toMatchObject({ tool_calls: 96 })
    clock.advance('11m')
    await search({ query: 'x', page: 1 })
    expect(warnings).toEqual([])
  })

  it('a tool that polls may be called again and again', async () => {
    const { guard } = scene({
      repeats: 1,
      tools: { status: { repeats: false }, '*': { repeats: { limit: 2 } } },
    })
    const status = guard.wrap('status', () => 'pending', ann)
    for (let i = 0; i < 5; i++) await status()
    const other = guard.wrap('other', () => 1, ann)
    await other()
    await other()
    expect(await refusal(other())).toMatchObject({ reason: 'repeated' })
  })

  it('a failed call is a call that came again, even where it costs nothing', async () => {
    const { guard, left } = scene({
      repeats: 2,
      tools: { '*': { limit: 10, window: '1h', chargeWhen: ({ failed }) => !failed } },
    })
    const broken = guard.wrap('broken', () => Promise.reject(new Error('no')), ann)
    await expect(broken()).rejects.toThrow('no')
    await expect(broken()).rejects.toThrow('no')
    expect(await refusal(broken())).toMatchObject({ reason: 'repeated' })
    expect(await left()).toMatchObject({ tool_calls: 100, everybody: 1000, tool_broken: 10 })
  })

  it('arguments without a text are not compared', async () => {
    const { guard } = scene({ repeats: 1 })
    const circle: { self?: unknown } = {}
    circle.self = circle
    const run = guard.wrap('run', (query: object) => query, ann)
    await run(circle)
    expect(await run(circle)).toBe(circle)
  })
})

describe('money', () => {
  const DAY = { name: 'day', limit: usd(1), period: 'daily', unit: 'usd-micro', status: 402 } as const
  const tools = {
    ask: {
      cost: { day: usd(0.4) },
      settle: (spent: number) => ({ day: usd(spent) }),
    },
  }

  it('a tool that costs money holds the estimate while it runs, and is settled by what it has cost', async () => {
    const { guard, left } = scene({ tools }, { policy: [DAY] })
    const end = gate<number>()
    const first = guard.wrap('ask', () => end.promise, ann)()
    await expect.poll(left).toEqual({ day: usd(0.6) })
    const second = guard.wrap('ask', () => end.promise, ann)()
    await expect.poll(left).toEqual({ day: usd(0.2) })
    expect(await refusal(guard.wrap('ask', () => 1, ann)())).toMatchObject({
      reason: 'held',
      message: expect.stringContaining(
        'The limit "day" allows $1.00 per day for this user, and calls that are running hold the rest.',
      ),
    })
    end.open(0.35)
    await Promise.all([first, second])
    expect(await left()).toEqual({ day: usd(0.3) })
    expect(await refusal(guard.wrap('ask', () => 1, ann)())).toMatchObject({
      reason: 'quota-exceeded',
      message: expect.stringContaining('It has $0.30 left, and this call needs $0.40.'),
    })
  })

  it('a failed call gives its money back where that is asked, and one that was aborted stays charged', async () => {
    const { guard, left } = scene(
      { tools: { ask: { ...tools.ask, chargeWhen: ({ failed }) => !failed } } },
      { policy: [DAY] },
    )
    const fails = guard.wrap('ask', () => Promise.reject<number>(new Error('no')), ann)
    await expect(fails()).rejects.toThrow('no')
    expect(await left()).toEqual({ day: usd(1) })

    const controller = new AbortController()
    const [tool] = guard.openaiAgents(
      [
        {
          type: 'function' as const,
          name: 'ask',
          invoke: async (_run: object, _input: string, _details?: object): Promise<number> => {
            controller.abort(new Error('left'))
            throw new Error('stopped')
          },
        },
      ],
      ann,
    )
    await expect(tool?.invoke({}, '{}', { signal: controller.signal })).rejects.toThrow('stopped')
    expect(await left()).toEqual({ day: usd(0.6) })
    // A caller that has left before its tool ran has had nothing.
    await expect(tool?.invoke({}, '{}', { signal: controller.signal })).rejects.toThrow('left')
    expect(await left()).toEqual({ day: usd(0.6) })
  })

  it('a settle that fails leaves the estimate charged', async () => {
    const { guard, left, warnings } = scene(
      { tools: { ask: { ...tools.ask, settle: () => 'free' as never } } },
      { policy: [DAY] },
    )
    await guard.wrap('ask', () => 1, ann)()
    expect(await left()).toEqual({ day: usd(0.6) })
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_CALLBACK'])
  })

  it('a tool may be settled in units that are not money, and charges them at once', async () => {
    const { guard, left } = scene({
      tools: { read: { cost: 50, settle: (pages: number) => ({ tool_calls: pages }) } },
    })
    const end = gate<number>()
    const read = guard.wrap('read', () => end.promise, ann)()
    await expect.poll(left).toMatchObject({ tool_calls: 50 })
    end.open(3)
    await read
    expect(await left()).toEqual({ tool_calls: 97, everybody: 950 })
  })

  it('a settle of nothing gives all back', async () => {
    const { guard, left } = scene(
      { tools: { ask: { ...tools.ask, settle: () => 0 } }, repeats: 3 },
      { policy: [DAY] },
    )
    await guard.wrap('ask', () => 1, ann)()
    expect(await left()).toEqual({ day: usd(1) })
  })
})
