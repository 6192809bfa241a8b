// One client that is blocked and let pass, and one address in several spellings.
import { describe, expect, it, onTestFinished } from 'vitest'

import type { Decision } from '@halt/core'
import { refusalBody } from '@halt/core/http'
import { Control } from '../src/index.ts'
import { by, rejection, view, world } from '../../core/test/world.ts'

function controlled(ipv6Prefix?: number) {
  const { store, limiter, clock } = world()
  const control = new Control({ store, warn: () => {}, ipv6Prefix })
  onTestFinished(() => control.close())
  const exempt: Decision[] = []
  const own = limiter(
    { name: 'p', limit: 1000, window: 60, keyStrategy: 'user', onMissingKey: 'ip' },
    { control, ipv6Prefix, telemetry: { onExempt: (_, decision) => void exempt.push(decision) } },
  )
  const reasonOf = async (ip: string) => (await own.check(view({ ip }))).reason
  return { control, own, store, clock, exempt, reasonOf }
}

it('the detailed body of a blocked client says that it is blocked, and names no policy as used up', async () => {
  const { control, own } = controlled()
  await control.block({ user: '42' }, { for: '1m' })
  const { data } = refusalBody(await own.check(by('42')), 'detailed', 429)
  expect(data['message']).toBe('This client is blocked. Try again in 60 seconds.')
})

describe('a block of a client that an operator lets pass', () => {
  for (const [what, target, request] of [
    ['a user', { user: '42' }, by('42')],
    ['an address', { ip: '203.0.113.7' }, view()],
    ['a network', { ip: '203.0.113.0/24' }, view()],
    ['an id of its own', 'job', undefined],
  ] as const)
    it(`a block wins over a permission while it holds, and the permission counts afterwards: ${what}`, async () => {
      const { control, own, clock } = controlled()
      const reason = async () =>
        (await (request === undefined ? own.consume('job') : own.check(request))).reason
      await control.allow(target, { by: 'ann' })
      await control.block(target, { for: '1h' })
      expect(await reason()).toBe('blocked')
      expect(await control.entries()).toHaveLength(2)
      clock.advance('61m')
      expect(await reason()).toBe('exempt')
      await control.block(target)
      expect(await reason()).toBe('blocked')
      expect(await control.unblock(target)).toBe(true)
      expect(await reason()).toBe('exempt')
      expect(await control.disallow(target)).toBe(true)
      expect(await reason()).toBe('ok')
    })

  it('a block wins over a permission in whichever order the two are made', async () => {
    const { control, reasonOf } = controlled()
    for (const ip of ['203.0.113.7', '203.0.113.0/24', '2001:db8::/48']) {
      await control.block({ ip })
      await control.allow({ ip })
    }
    expect(await reasonOf('203.0.113.7')).toBe('blocked')
    expect(await reasonOf('203.0.113.8')).toBe('blocked')
    expect(await reasonOf('2001:db8::1')).toBe('blocked')
  })
})

describe('one client or network, however it is spelled, has one entry', () => {
  for (const [written, ...spellings] of [
    ['ip:203.0.113.7', '203.0.113.7', '203.0.113.7/32', '::ffff:203.0.113.7', '::FFFF:203.0.113.7/128'],
    ['ip:203.0.113.7', '::ffff:cb00:7107/128', ' 203.0.113.7/32 ', '0:0:0:0:0:ffff:cb00:7107'],
    ['ip:2001:db8::/56', '2001:db8::/56', '2001:0DB8:0000::0001', '[2001:db8::5]:443', '2001:DB8::0/56'],
    ['2001:db8::7/128', '2001:db8::7/128', '2001:0DB8:0:0::0007/128'],
    ['2001:db8::/32', '2001:db8::/32', '2001:DB8:0::/32', '2001:0db8::%eth0/32'],
    ['ip:fe80::/56', 'fe80::1', 'fe80::1%eth0', 'FE80::/56', 'fe80::%en1/56'],
    ['203.0.113.0/24', '203.0.113.0/24', '::ffff:203.0.113.0/120'],
  ] as const)
    it(`one entry has all spellings: ${written} is ${spellings.join(', ')}`, async () => {
      const { control } = controlled()
      for (const ip of spellings) {
        for (const other of spellings) await control.block({ ip: other })
        expect((await control.entries()).map(({ target }) => target)).toEqual([written])
        expect(control.keyOf({ ip })).toBe(written)
        expect(await control.unblock({ ip })).toBe(true)
        expect(await control.entries()).toEqual([])
      }
    })

  it('an address of a limiter with ipv6Prefix 128 is a client by itself', async () => {
    const { control, reasonOf } = controlled(128)
    await control.block({ ip: '2001:db8::7/128' })
    expect(control.keyOf({ ip: '2001:db8::7' })).toBe('ip:2001:db8::7/128')
    expect(await reasonOf('2001:db8::7')).toBe('blocked')
    expect(await reasonOf('2001:db8::8')).toBe('ok')
    expect(await control.unblock({ ip: '2001:db8::7' })).toBe(true)
  })

  it('a network with bits set after its prefix is taken back, and not made', async () => {
    const { control } = controlled()
    await control.block({ ip: '203.0.113.0/24' })
    await control.block({ ip: '2001:db8::/32' })
    for (const ip of ['203.0.113.7/24', '2001:db8::7/32', '::ffff:203.0.113.7/120']) {
      expect((await rejection(control.block({ ip }))).code).toBe('HALT_E_CONTROL')
      expect(control.reaches({ ip }, '192.0.2.1')).toBe(false)
    }
    expect(await control.unblock({ ip: '::ffff:203.0.113.7/120' })).toBe(true)
    expect(await control.unblock({ ip: '2001:DB8::7/32' })).toBe(true)
    expect(await control.entries()).toEqual([])
  })
})

describe('a network that is larger than those of one owner', () => {
  for (const ip of [
    '::/1',
    '2000::/3',
    '2a00::/12',
    '2001::/16',
    '2002::/16',
    '0.0.0.0/1',
    '64.0.0.0/2',
    '8.0.0.0/7',
  ])
    it(`a network that is larger than those of one owner needs force: ${ip}`, async () => {
      const { control } = controlled()
      for (const act of ['block', 'allow'] as const) {
        const error = await rejection(control[act]({ ip }))
        expect(error.code).toBe('HALT_E_CONTROL')
        expect(error.fix).toContain('force: true')
        await control[act]({ ip }, { force: true })
      }
      expect(await control.unblock({ ip })).toBe(true)
    })

  it('a network of /8 or /19 needs no force', async () => {
    const { control } = controlled()
    for (const ip of ['10.0.0.0/8', '2003::/19', '2001:db8::/32']) await control.block({ ip })
    expect(await control.entries()).toHaveLength(3)
  })
})

describe('numbers', () => {
  it('numbers may not hold fields that are not numbers of a policy', async () => {
    const { control } = controlled()
    for (const numbers of [
      { mode: 'off' },
      { limit: 5, counter: 'other' },
      { limit: 5, algorithm: 'quota' },
    ]) {
      for (const act of [
        () => control.change('p', numbers as never),
        () => control.override({ user: '42' }, 'p', numbers as never),
      ])
        expect((await rejection(act())).code).toBe('HALT_E_UNKNOWN_FIELD')
    }
    expect(await control.entries()).toEqual([])
  })

  for (const numbers of [
    '{"mode":"off"}',
    '{"limit":5,"counter":"x"}',
    '{"limit":"5"}',
    '{"limit":null}',
    '[]',
    '{"window":""}',
  ])
    it(`numbers that were written by hand are not obeyed: ${numbers}`, async () => {
      const { control, own, store } = controlled()
      const text = `{"halt":1,"entries":[{"kind":"change","policy":"p","at":1,"numbers":${numbers}}]}`
      await store.document('control').write(text, '0')
      await control.refresh()
      expect(control.problem).toContain('entry 0')
      expect((await own.check(by('42'))).limit).toBe(1000)
    })
})

describe('an act upon a document with an entry that cannot be read', () => {
  for (const target of ['999.0.0.0/8', '203.0.113.7/24', '10.0.0.0/33'])
    it(`an act upon a document with an entry that cannot be read rejects, and writes nothing: ${target}`, async () => {
      const { control, store } = controlled()
      const text = `{"halt":1,"entries":[{"kind":"block","target":"${target}","at":1}]}`
      await store.document('control').write(text, '0')
      expect((await rejection(control.block({ user: '42' }))).code).toBe('HALT_E_CONTROL')
      expect((await rejection(control.unblock({ user: '42' }))).code).toBe('HALT_E_CONTROL')
      expect((await store.document('control').read())?.text).toBe(text)
      expect(await control.history()).toEqual([])
    })
})

describe('telemetry hears of a client that an operator lets pass', () => {
  it('telemetry hears of a client that an operator lets pass in consume as in check, and not in peek', async () => {
    const { control, own, exempt } = controlled()
    await control.allow({ user: '42' })
    await own.check(by('42'))
    await own.consume({ user: '42' })
    await own.acquire({ user: '42' })
    await own.peek({ user: '42' })
    expect(exempt.map(({ reason, policy }) => [reason, policy])).toEqual([
      ['exempt', 'p'],
      ['exempt', 'p'],
      ['exempt', 'p'],
    ])
    expect(exempt[1]?.key).toBe('user:42')
  })
})
