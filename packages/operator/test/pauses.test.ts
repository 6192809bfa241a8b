// A limit that refuses one client alone, as the limit of a tool.
import type { Policy } from '@halt/core'
import { afterEach, expect, it } from 'vitest'

import { openSite, PER_USER, type Site } from './site.ts'

let site: Site
afterEach(() => site.close())

const MAILS: Policy = { name: 'tool_send_mail', limit: 20, window: '1h', keyStrategy: 'user' }
const EVERYBODY: Policy = { name: 'all_mails', limit: 100, window: '1h', keyStrategy: 'shared' }
const ROUTES: Policy = { name: 'routes', limit: 100, window: '1h', keyStrategy: 'user', scope: 'route' }

const act = (body: object) => site.call('act', { reason: 'a test', confirmed: true, ...body })
const consume = (user: string, policy: Policy) => site.limiter.consume({ user }, { policy })

it('a limit can be paused for one client, and other limits and other clients go on', async () => {
  site = await openSite({ reveal: true }, [MAILS])
  await consume('42', MAILS)
  const call = { act: 'pause', whom: { user: '42' }, policy: 'tool_send_mail', for: '2h' }
  const told = await act({ ...call, confirmed: false })
  expect(told.body).toMatchObject({
    done: false,
    says: 'tool_send_mail refuses user:42, for 2h. Other limits let it pass, and no count changes.',
    warnings: [],
  })
  expect((await consume('42', MAILS)).allowed).toBe(true)
  const { body } = await act(call)
  expect(await consume('42', MAILS)).toMatchObject({ allowed: false, reason: 'limited', retryAfter: 7200 })
  expect((await consume('42', PER_USER)).allowed).toBe(true)
  expect((await consume('43', MAILS)).allowed).toBe(true)
  const found = await site.call('find', { whom: { user: '42' } })
  const [{ policies }] = found.body['limiters']
  expect(policies.find((each: any) => each.policy === 'tool_send_mail').counters).toMatchObject([{ used: 2 }])
  expect(await act({ ...body['undo'], reason: 'it was ours' })).toMatchObject({ body: { done: true } })
  expect((await consume('42', MAILS)).allowed).toBe(true)
  const history = await site.control.history()
  expect(history).toMatchObject([
    { act: 'resume', policy: 'tool_send_mail', target: 'user:42', by: 'ann', reason: 'it was ours' },
    { act: 'pause', policy: 'tool_send_mail', target: 'user:42', by: 'ann' },
  ])
  expect(history[0]).not.toHaveProperty('until')
  expect(history[1]!.until! - history[1]!.at).toBe(7_200_000)
})

it('a pause without an end holds until somebody resumes the client', async () => {
  site = await openSite({}, [MAILS])
  const about = { whom: { user: '42' }, policy: 'tool_send_mail' }
  const { body } = await act({ act: 'pause', ...about })
  expect(body['says']).toContain('until somebody takes it back')
  expect((await consume('42', MAILS)).allowed).toBe(false)
  await act({ act: 'resume', ...about })
  expect((await consume('42', MAILS)).allowed).toBe(true)
})

it.each([
  ['a quota', 'month', 'HALT_E_CONTROL', 'month is a quota, which cannot be paused.'],
  ['a limit of all clients together', 'all_mails', 'HALT_E_CONTROL', 'all_mails counts all clients together'],
  ['a limit that counts routes apart', 'routes', 'HALT_E_CONTROL', 'routes counts each route apart'],
  ['a limit that nobody has', 'other', 'HALT_E_OPERATOR', 'No limiter of this process has a policy "other".'],
])('%s cannot be paused for one client', async (_, policy, code, says) => {
  site = await openSite({}, [EVERYBODY, ROUTES])
  for (const confirmed of [false, true]) {
    const { status, body } = await act({ act: 'pause', whom: { user: '42' }, policy, confirmed })
    expect([status, body]).toMatchObject([400, { error: { code } }])
    expect(body['error'].message).toContain(says)
  }
  expect(await site.control.history()).toEqual([])
})

it('a pause of a limit that does not count the client is warned of, and one without the store is refused', async () => {
  site = await openSite({}, [MAILS])
  const call = { act: 'pause', whom: { user: '42' }, policy: 'per_address' }
  const { body } = await act({ ...call, confirmed: false })
  expect(body['warnings']).toEqual([expect.stringContaining('per_address counts nothing under user')])
  site.store.begin('refused')
  const refused = await act({ ...call, policy: 'tool_send_mail' })
  expect(refused.body['error']).toMatchObject({ code: expect.stringMatching(/^HALT_E_STORE/) })
})
