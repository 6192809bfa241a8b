import { type Telemetry } from '@halt/core'
import { describe, expect, it } from 'vitest'

import { gate, refusal, scene } from './scene.ts'

const ann = { userId: 'ann' }

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

  it('a generator is a call that runs until it ends, and a stream is a result like others', async () => {
    const { guard, left } = scene({ tools: { '*': { algorithm: 'concurrency', limit: 1, ttl: '1m' } } })
    const given = new ReadableStream()
    expect(await guard.wrap('download', () => given, ann)()).toBe(given)
    const lines = await guard.wrap(
      'read',
      async function* () {
        yield 'a'
      },
      ann,
    )()
    expect(await left()).toMatchObject({ tool_download: 1, tool_read: 0 })
    for await (const line of lines) expect(line).toBe('a')
    expect(await left()).toMatchObject({ tool_read: 1 })
  })

  it('a refusal tells a window that is no whole number of a larger unit exactly', async () => {
    const { guard } = scene({ tools: { search: { limit: 1, window: '50h' } } })
    const search = guard.wrap('search', () => 1, ann)
    await search()
    expect((await refusal(search())).message).toContain('limited to 1 call in 50 hours')
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
