import { afterEach, describe, expect, it } from 'vitest'

import { openSite, type Site } from './site.ts'

let site: Site
afterEach(() => site.close())

/** Carries an act out, as an operator who confirms does. */
const act = (body: object) => site.call('act', { reason: 'a test', confirmed: true, ...body })
const entries = async (): Promise<object[]> => (await site.call('standing')).body['entries']
const HERE = 'This holds in this process alone, until the store answers.'

describe('while the store is away', () => {
  it('the page shows the numbers and the entries of this process, and why', async () => {
    site = await openSite({ reveal: true })
    await site.call('feed')
    await site.ask('42', 2)
    await site.control.override({ user: 'before' }, 'per_user', { limit: 9 })
    site.store.begin('refused')
    await site.ask('42')
    const { status, body } = await site.call('feed')
    expect(status).toBe(200)
    expect(body).toMatchObject({ problem: { code: 'HALT_E_STORE' }, alone: 0 })
    expect(body['processes']).toMatchObject([{ isOwn: true, store: { decides: 'local', errors: 1 } }])
    expect((await site.call('standing')).body).toMatchObject({
      entries: [{ kind: 'override', target: 'user:before' }],
      history: [],
      problem: { code: 'HALT_E_STORE' },
    })
    expect((await site.call('find', { whom: { user: 'before' } })).body).toMatchObject({
      limiters: [{ degraded: 'local' }],
      entries: [{ kind: 'override', target: 'user:before' }],
      problem: { code: 'HALT_E_STORE' },
    })
  })

  it('the page answers after a second if the store hangs', async () => {
    site = await openSite()
    site.store.begin('hanging')
    const { body } = await site.call('feed')
    expect(body['problem'].message).toContain('no answer within 1 s')
  })

  for (const outage of ['refused', 'hanging'] as const)
    it(`an act holds here alone while the store is away, says so, and is marked until it is back (${outage})`, async () => {
      site = await openSite()
      site.store.begin(outage)
      const block = { act: 'block', whom: { user: '42' }, for: '2h' }
      const told = await act({ ...block, confirmed: false })
      expect(told.body).toMatchObject({ done: false, scope: 'process' })
      expect(told.body['says']).toMatch(/^This process alone refuses every request of user #/)
      expect(told.body['warnings']).toEqual([expect.stringMatching(/in this process alone.*the act is lost/)])
      expect(site.control.inForce()).toEqual([])

      const { status, body } = await act(block)
      expect([status, body['scope']]).toEqual([200, 'process'])
      expect(body['says']).toMatch(new RegExp(`is blocked for 2h. ${HERE}$`))
      expect(
        (await site.limiter.check({ user: { id: '42' }, socket: { remoteAddress: '::1' } })).reason,
      ).toBe('blocked')
      const [entry] = (await entries()) as [{ target: string }]
      expect(entry).toMatchObject({ kind: 'block', by: 'ann', scope: 'process' })
      expect((await site.call('feed')).body['alone']).toBe(1)

      site.store.end()
      await expect.poll(async () => (await site.call('feed')).body['alone']).toBe(0)
      const [now] = await entries()
      expect(now).toMatchObject({ kind: 'block', target: entry.target })
      expect(now).not.toHaveProperty('scope')
      expect((await act({ ...block, confirmed: false })).body).not.toHaveProperty('scope')
    })

  it('every act on entries is taken back in this process alone, by the name that the page shows', async () => {
    site = await openSite()
    await site.control.block({ user: 'before' }, { for: '1h' })
    const [{ target }] = (await entries()) as [{ target: string }]
    site.store.begin('refused')
    const end = await act({ act: 'unblock', whom: target })
    expect(end.body).toMatchObject({ done: true, says: `${target} is not blocked any more. ${HERE}` })
    expect(end.body['undo']).toMatchObject({ act: 'block' })
    expect(await entries()).toEqual([])
    const numbers = { policy: 'per_user', numbers: { limit: 9 } }
    for (const body of [
      { act: 'allow', whom: { user: '7' } },
      { act: 'override', whom: { user: '7' }, ...numbers },
      { act: 'change', ...numbers },
    ]) {
      const done = await act(body)
      expect(done.body).toMatchObject({ scope: 'process', undo: {} })
      expect((await act(done.body['undo'])).body).toMatchObject({ done: true, scope: 'process' })
    }
    expect(await entries()).toEqual([])
    expect((await act({ act: 'unblock', whom: { user: 'nobody' } })).body).not.toHaveProperty('scope')
  })

  it('acts on counters, and acts that must not hold here alone, are refused before a confirmation', async () => {
    site = await openSite()
    site.store.begin('refused')
    const whom = { user: '42' }
    for (const body of [
      { act: 'reset', whom },
      { act: 'grant', whom, policy: 'month', units: 3 },
      { act: 'block', whom, onStoreError: 'reject' },
    ])
      for (const confirmed of [false, true])
        expect(await act({ ...body, confirmed }), JSON.stringify(body)).toMatchObject({
          status: 503,
          body: { error: { code: 'HALT_E_STORE' } },
        })
    expect(site.control.inForce()).toEqual([])
  })

  it('an act is refused before a confirmation if no limiter of this process obeys the control', async () => {
    const other = await openSite()
    site = await openSite({ limiters: [other.limiter] })
    site.store.begin('refused')
    other.store.begin('refused')
    expect((await act({ act: 'block', whom: { user: '42' }, confirmed: false })).status).toBe(503)
    await other.close()
  })
})

describe('a network that is larger than those of one owner', () => {
  it.each(['10.0.0.0/7', '2a00::/18', '0.0.0.0/0'])('a block of %s must be forced', async ip => {
    site = await openSite({ reveal: true })
    const block = { act: 'block', whom: { ip } }
    expect((await act({ ...block, confirmed: false })).body['needsForce']).toBe(true)
    expect((await act(block)).status).toBe(400)
    expect((await act({ ...block, force: true })).status).toBe(200)
    // The operator who ends it by mistake has it back without being asked again.
    const { undo } = (await act({ act: 'unblock', whom: { ip } })).body
    expect(undo).toMatchObject({ act: 'block', force: true })
    expect((await act(undo)).status).toBe(200)
  })

  it('a /8 of IPv4 and a /19 of IPv6 need no confirmation of their size', async () => {
    site = await openSite({ reveal: true })
    for (const ip of ['10.0.0.0/8', '2a00::/19']) {
      const block = { act: 'block', whom: { ip } }
      expect((await act({ ...block, confirmed: false })).body['needsForce']).toBe(false)
      expect((await act(block)).status).toBe(200)
      expect((await act({ act: 'unblock', whom: { ip } })).body['undo']).not.toHaveProperty('force')
    }
  })
})
