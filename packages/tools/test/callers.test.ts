import { Control } from '@halt/control'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it, onTestFinished } from 'vitest'

import type { ToolLimitedError } from '../src/index.ts'
import { ANN, refusal, scene } from './scene.ts'

const ann = { userId: 'ann' }

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
    const also = { name: 'mails', limit: 1000, window: '1h', keyStrategy: 'shared' } as const
    const { guard, limiter } = scene({ tools: { send_mail: { limit: 20, window: '1h', also }, '*': {} } })
    const other = scene({ tools: { send_mail: { limit: 20, window: '1h', also } } }, { store: limiter.store })
    const policy = guard.limits('send_mail').filter(({ keyStrategy }) => keyStrategy !== 'shared')
    await limiter.pause(ANN, { policy, for: '2h' })
    for (const { guard: one } of [{ guard }, other]) {
      const { reason, message, retryAfter } = await refusal(one.wrap('send_mail', () => 1, ann)())
      expect([reason, retryAfter]).toEqual(['limited', 7200])
      expect(message).toBe(
        'send_mail was not run. This tool is limited to 20 calls per hour for this user, and none is possible now. The next call is possible in 2 hours. Until then do something else, or tell the user.',
      )
      await one.wrap('send_mail', () => 1, { userId: 'ben' })()
    }
    await guard.wrap('search', () => 1, ann)()
    await limiter.resume(ANN, { policy })
    await guard.wrap('send_mail', () => 1, ann)()
    // A tool without a limit of its own has nothing that could be paused, and its user goes on.
    await expect(limiter.pause(ANN, { policy: guard.limits('search') })).rejects.toThrow('HALT_E_POLICY')
  })
})
