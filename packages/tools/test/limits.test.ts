import { Control } from '@halt/control'
import { isLimited, type Telemetry, usd } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it, onTestFinished } from 'vitest'

import { isToolRefusal, type ToolLimitedError, type ToolRefusal } from '../src/index.ts'
import { ANN, gate, scene } from './scene.ts'

const ann = { userId: 'ann' }

/** The refusal of a call that must be refused. */
async function refusal(call: Promise<unknown>): Promise<ToolRefusal> {
  const error: unknown = await call.then(
    value => expect.fail(`the call ran: ${String(value)}`),
    thrown => thrown,
  )
  expect(isLimited(error)).toBe(true)
  const found = (error as ToolLimitedError).refusal
  expect((error as Error).message).toBe(found.message)
  expect(isToolRefusal(JSON.parse(JSON.stringify(found)))).toBe(true)
  return found
}

describe('the limits of a call', () => {
  it('a call is charged to the tool, the user and everybody in one step, and a refused one to none of them', async () => {
    const { guard, left, warnings } = scene({ tools: { send_mail: { limit: 2, window: '1h' }, '*': {} } })
    const sent: string[] = []
    const send = guard.wrap('send_mail', (to: string) => sent.push(to), ann)
    await send('a')
    await send('b')
    expect(await refusal(send('c'))).toEqual({
      reason: 'limited',
      policy: 'tool_send_mail',
      retryAfter: 1800,
      message:
        'send_mail was not run. This tool is limited to 2 calls per hour for this user, and none is possible now. The next call is possible in 30 minutes. Until then do something else, or tell the user.',
    })
    expect(sent).toEqual(['a', 'b'])
    expect(await left()).toEqual({ tool_calls: 98, everybody: 998, tool_send_mail: 0 })
    await guard.wrap('search', () => 1, ann)()
    expect(await left()).toMatchObject({ tool_calls: 97, everybody: 997 })
    expect(warnings).toEqual([])
  })

  it('each tool under "*" has a counter of its own, unless its limit has a name', async () => {
    const own = scene({ tools: { '*': { limit: 1, window: '1h' } } })
    await own.guard.wrap('a', () => 1, ann)()
    await own.guard.wrap('b', () => 1, ann)()
    expect(await own.left()).toMatchObject({ tool_a: 0, tool_b: 0 })

    const common = scene({ tools: { '*': { name: 'others', limit: 1, window: '1h' } } })
    await common.guard.wrap('a', () => 1, ann)()
    expect(await refusal(common.guard.wrap('b', () => 1, ann)())).toMatchObject({ policy: 'others' })
  })

  it('a limit of a tool may be one for all users together', async () => {
    const { guard } = scene({
      tools: { deploy: { limit: 1, window: '1d', keyStrategy: 'shared' } },
    })
    await guard.wrap('deploy', () => 1, ann)()
    const { message } = await refusal(guard.wrap('deploy', () => 1, { userId: 'ben' })())
    expect(message).toContain('The limit "tool_deploy" allows 1 call per day for all users together')
  })

  it('a cost is a number, or is computed of the arguments', async () => {
    const { guard, left } = scene({
      tools: {
        web_search: { cost: 5 },
        read: { cost: ({ pages }: { pages: number }) => ({ tool_calls: pages }) },
      },
    })
    await guard.wrap('web_search', () => 1, ann)()
    expect(await left()).toEqual({ tool_calls: 95, everybody: 995 })
    await guard.wrap('read', ({ pages }: { pages: number }) => pages, ann)({ pages: 20 })
    expect(await left()).toEqual({ tool_calls: 75, everybody: 994 })
    const { message, policy } = await refusal(
      guard.wrap('read', ({ pages }: { pages: number }) => pages, ann)({ pages: 80 }),
    )
    expect(policy).toBe('tool_calls')
    expect(message).toContain(
      'The limit "tool_calls" allows 100 calls per hour for this user. It has 75 calls left, and this call needs 80 calls.',
    )
  })

  it('a fixed cost above the limit of its tool is refused at construction', () => {
    expect(() => scene({ tools: { big: { limit: 3, window: 1, cost: 4 } } })).toThrow(/HALT_E_COST/)
  })

  it('a cost that throws, or is no cost, is above every limit: the call is refused and charged nothing', async () => {
    const bad: (() => never)[] = [
      () => {
        throw new Error('no pages')
      },
      (() => -1) as never,
      (() => new Promise(() => {})) as never,
    ]
    for (const cost of bad) {
      const { guard, left, warnings } = scene({ tools: { read: { cost } } }, { callbackTimeout: '20ms' })
      expect(await refusal(guard.wrap('read', () => 1, ann)())).toMatchObject({
        reason: 'cost-exceeds-limit',
        retryAfter: null,
      })
      expect(await left()).toEqual({ tool_calls: 100, everybody: 1000 })
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_CALLBACK'])
    }
  })

  it('a tool of which only so many may run has its permits back when it has returned or thrown', async () => {
    const { guard, left } = scene({
      tools: { render: { algorithm: 'concurrency', limit: 1, ttl: '1m', cost: 3 } },
    })
    const end = gate()
    const render = guard.wrap(
      'render',
      async (fails: boolean) => {
        await end.promise
        if (fails) throw new Error('broken')
      },
      ann,
    )
    const first = render(true)
    await expect.poll(left).toMatchObject({ tool_render: 0 })
    expect((await refusal(render(false))).message).toContain(
      'This tool is limited to 1 call at the same time for this user, and all of them are running.',
    )
    end.open()
    await expect(first).rejects.toThrow('broken')
    await render(false)
    expect(await left()).toMatchObject({ tool_render: 1, tool_calls: 94 })
  })

  it('a shadow limit reports, and refuses nobody', async () => {
    const verdicts: boolean[] = []
    const telemetry: Telemetry = {
      onCheck: (_key, decision) => {
        const own = decision.verdicts.find(({ policy }) => policy === 'tool_search')
        if (own) verdicts.push(own.allowed)
      },
    }
    const { guard } = scene({ tools: { search: { limit: 1, window: '1h', mode: 'shadow' } } }, { telemetry })
    const search = guard.wrap('search', () => 'found', ann)
    expect([await search(), await search()]).toEqual(['found', 'found'])
    expect(verdicts).toEqual([true, false])
  })

  it('telemetry names the tool by its limit', async () => {
    const refused: string[] = []
    const telemetry: Telemetry = { onBlocked: (_key, _decision, { policy }) => refused.push(policy) }
    const { guard } = scene({ tools: { search: { limit: 1, window: '1h' } } }, { telemetry })
    const search = guard.wrap('search', () => 1, ann)
    await search()
    await refusal(search())
    expect(refused).toEqual(['tool_search'])
  })
})

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

describe('who calls', () => {
  it.each([
    ['throws', () => expect.fail('no session')],
    ['rejects', () => Promise.reject(new Error('no session'))],
    ['hangs', () => new Promise<never>(() => {})],
    ['names nobody', () => null],
    ['names what is not an identity', () => ({ name: 'ann' }) as never],
  ])('a call is refused if who %s', async (_, who) => {
    const { guard, left } = scene({ who }, { callbackTimeout: '20ms' })
    const ran: number[] = []
    expect(await refusal(guard.wrap('search', () => ran.push(1))())).toEqual({
      reason: 'missing-key',
      policy: 'tool_caller',
      retryAfter: null,
      message:
        'search was not run. The server cannot tell who calls. Do not call it again. Do something else, or tell the user.',
    })
    expect(ran).toEqual([])
    expect(await left()).toEqual({ tool_calls: 100, everybody: 1000 })
  })

  it('who may be one identity for all calls', async () => {
    const { guard, left } = scene({ who: ANN })
    await guard.wrap('search', () => 1)()
    expect(await left()).toMatchObject({ tool_calls: 99 })
  })

  it('who never sees the arguments, because a model writes them', async () => {
    const seen: unknown[] = []
    const { guard } = scene({ who: caller => (seen.push(caller), ANN) })
    await guard.wrap('search', ({ user }: { user: string }) => user, ann)({ user: 'root' })
    expect(seen).toEqual([{ tool: 'search', context: ann }])
  })

  it('an error of a refused call names nobody, neither in its texts nor in its JSON', async () => {
    const { guard } = scene({ who: { apiKey: 'sk-secret-1' }, tools: { search: { limit: 1, window: 1 } } })
    const search = guard.wrap('search', () => 1)
    await search()
    const error = (await search().catch((thrown: unknown) => thrown)) as ToolLimitedError
    const shown = [error.message, error.stack, error.summary, error.fix, JSON.stringify(error)].join('\n')
    expect(shown).not.toMatch(/sk-secret|api-key/)
    expect(error.decision.key).toMatch(/^api-key:#/)
  })
})

describe('operators', () => {
  it('what operators set holds for tools: a block, a permission, and numbers of one user', async () => {
    const store = new InMemoryStore({ clock: new ManualClock(Date.UTC(2026, 0, 1)).now })
    const control = new Control({ store })
    onTestFinished(() => control.close())
    const { guard, left } = scene({ tools: { send_mail: { limit: 1, window: '1h' } } }, { store, control })
    const mail = (userId: string) => guard.wrap('send_mail', () => 'sent', { userId })()
    await control.override(ANN, 'tool_send_mail', { limit: 2 })
    expect([await mail('ann'), await mail('ann'), await mail('ben')]).toEqual(['sent', 'sent', 'sent'])
    expect((await refusal(mail('ann'))).message).toContain('limited to 2 calls per hour')
    expect((await refusal(mail('ben'))).message).toContain('limited to 1 call per hour')
    await control.block({ user: 'ben' }, { reason: 'spam', by: 'support' })
    expect(await refusal(mail('ben'))).toEqual({
      reason: 'blocked',
      policy: 'tool_calls',
      retryAfter: null,
      message:
        'send_mail was not run. This user is blocked. Do not call it again. Do something else, or tell the user.',
    })
    await control.allow(ANN)
    expect(await mail('ann')).toBe('sent')
    await control.disallow(ANN)
    expect(await left()).toMatchObject({ tool_calls: 98 })
  })

  it('one tool can be blocked for one user, in every guard of the store', async () => {
    const { guard, limiter } = scene({ tools: { send_mail: { limit: 20, window: '1h' }, '*': {} } })
    const other = scene({ tools: { send_mail: { limit: 20, window: '1h' } } }, { store: limiter.store })
    await limiter.pause(ANN, { policy: guard.limits('send_mail'), for: '2h' })
    for (const { guard: one } of [{ guard }, other]) {
      const { reason, message, retryAfter } = await refusal(one.wrap('send_mail', () => 1, ann)())
      expect([reason, retryAfter]).toEqual(['limited', 7200])
      expect(message).toBe(
        'send_mail was not run. This tool is limited to 20 calls per hour for this user, and none is possible now. The next call is possible in 2 hours. Until then do something else, or tell the user.',
      )
      await one.wrap('send_mail', () => 1, { userId: 'ben' })()
    }
    await guard.wrap('search', () => 1, ann)()
    await limiter.resume(ANN, { policy: guard.limits('send_mail') })
    await guard.wrap('send_mail', () => 1, ann)()
  })
})

describe('mistakes', () => {
  const code = (make: () => unknown): string => {
    try {
      make()
    } catch (error) {
      return (error as { readonly code: string }).code
    }
    return expect.fail('no error')
  }

  it.each<[string, string, Parameters<typeof scene>[0]]>([
    ['a limiter that is none', 'HALT_E_LIMITER', { limiter: {} as never }],
    ['no who', 'HALT_E_OPTION', { who: undefined as never }],
    ['a who that is no name', 'HALT_E_IDENTITY', { who: '' }],
    ['a who that is not an identity', 'HALT_E_IDENTITY', { who: {} as never }],
    ['tools that are a list', 'HALT_E_OPTION', { tools: [] as never }],
    ['settings that are a number', 'HALT_E_TOOL', { tools: { a: 5 as never } }],
    ['an unknown option', 'HALT_E_UNKNOWN_FIELD', { tool: {} } as never],
    ['an unknown field of a tool', 'HALT_E_UNKNOWN_FIELD', { tools: { a: { windw: 1 } as never } }],
    ['a limit without a window', 'HALT_E_WINDOW', { tools: { a: { limit: 1 } as never } }],
    ['a limit of 0', 'HALT_E_LIMIT', { tools: { '*': { limit: 0, window: 1 } } }],
    ['a cost of -1', 'HALT_E_COST', { tools: { a: { cost: -1 } } }],
    ['a settle that is no function', 'HALT_E_TOOL', { tools: { a: { settle: 1 as never } } }],
    ['hold without settle', 'HALT_E_TOOL', { tools: { a: { hold: '1m' } } }],
    ['hold with delay', 'HALT_E_TOOL', { tools: { a: { hold: '1m', settle: () => 1, delay: {} } } }],
    ['a wait of a year', 'HALT_E_MAX_WAIT', { tools: { a: { delay: { maxWait: '365d' } } } }],
    ['repeats of 0', 'HALT_E_OPTION', { repeats: 0 }],
    [
      'two limits of one name',
      'HALT_E_DUPLICATE_POLICY',
      { tools: { a: { name: 'tool_calls', limit: 1, window: 1 } } },
    ],
    ['a name that cannot name a policy', 'HALT_E_TOOL', { tools: { 'a/b': { limit: 1, window: 1 } } }],
  ])('%s is %s', (_, expected, options) => {
    expect(code(() => scene(options))).toBe(expected)
  })

  it('a tool that is not listed is refused where it is given to the guard', () => {
    const { guard } = scene({ tools: { send_mail: {} } })
    expect(() => guard.wrap('sendMail', () => 1)).toThrow(
      `HALT_E_TOOL: The tool "sendMail" is not listed. Name it in tools (send_mail), or say what holds for all others: '*': {}.`,
    )
    expect(code(() => guard.aiSdk({ other: { execute: () => 1 } }))).toBe('HALT_E_TOOL')
    expect(code(() => guard.mcp('constructor', () => 1))).toBe('HALT_E_TOOL')
    expect(code(() => guard.limits('*'))).toBe('HALT_E_TOOL')
  })

  it('a limiter whose policies depend on the request is refused', () => {
    expect(code(() => scene({}, { policy: (() => []) as never }))).toBe('HALT_E_POLICY_REQUIRED')
  })
})
