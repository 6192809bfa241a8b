// Which of the entries about an address counts, and how networks are written.
import { describe, expect, it, onTestFinished } from 'vitest'

import { Control } from '../src/index.ts'
import { rejection, view, world } from '../../core/test/world.ts'

function controlled() {
  const { store, limiter } = world()
  const control = new Control({ store, warn: () => {} })
  onTestFinished(() => control.close())
  const own = limiter({ name: 'p', limit: 1000, window: 60 }, { control })
  return { control, store, own, reasonOf: async (ip: string) => (await own.check(view({ ip }))).reason }
}

describe('of the entries about an IPv6 address', () => {
  it('an entry of a network within a /56 counts before that of the /56', async () => {
    const { control, reasonOf } = controlled()
    await control.allow({ ip: '2001:db8::1' })
    await control.block({ ip: '2001:db8::bad/128' })
    await control.block({ ip: '2001:db9::1' })
    await control.allow({ ip: '2001:db9::600d/128' })
    for (let i = 0; i < 2; i++) {
      expect(await reasonOf('2001:db8::bad')).toBe('blocked')
      expect(await reasonOf('2001:db8::2')).toBe('exempt')
      expect(await reasonOf('2001:db9::600d')).toBe('exempt')
      expect(await reasonOf('2001:db9::2')).toBe('blocked')
    }
  })

  it('an entry of a /56 counts before that of a larger network', async () => {
    const { control, reasonOf } = controlled()
    await control.allow({ ip: '2001:db8::1' })
    await control.block({ ip: '2001:db8::/48' })
    expect(await reasonOf('2001:db8::2')).toBe('exempt')
    expect(await reasonOf('2001:db8:0:100::2')).toBe('blocked')
  })

  it('a block counts before a permission of the same network', async () => {
    const { control, reasonOf } = controlled()
    await control.allow({ ip: '2001:db8::1' })
    await control.block({ ip: '2001:db8::/56' })
    expect(await reasonOf('2001:db8::2')).toBe('blocked')
    await control.block({ ip: '203.0.113.7/32' })
    await control.allow({ ip: '203.0.113.7' })
    expect(await reasonOf('203.0.113.7')).toBe('blocked')
  })
})

it.each([
  ['203.0.113.7/32', 'blocked'],
  ['::ffff:203.0.113.7/128', 'blocked'],
  ['::ffff:203.0.113.0/120', 'exempt'],
])(
  'a block of %s that somebody wrote by hand leaves an address with a permission %s',
  async (target, reason) => {
    const { control, store, reasonOf } = controlled()
    const entries = [
      { kind: 'allow', target: 'ip:203.0.113.7', at: 1 },
      { kind: 'block', target, at: 1 },
    ]
    await store.document('control').write(JSON.stringify({ halt: 1, entries }), '0')
    await control.refresh()
    expect(await reasonOf('203.0.113.7')).toBe(reason)
  },
)

describe('an IPv6 address that stands for an IPv4 address', () => {
  const spellings = ['::ffff:203.0.113.7', '64:ff9b::203.0.113.7', '2002:cb00:7107::1', '2001:0:1::34ff:8ef8']

  it('a network of an IPv4 address reaches the IPv6 addresses that stand for it, in requests and identities', async () => {
    const { control, own, reasonOf } = controlled()
    await control.block({ ip: '203.0.113.0/24' })
    for (const ip of spellings) {
      expect(await reasonOf(ip), ip).toBe('blocked')
      expect((await own.peek({ ip })).reason, ip).toBe('blocked')
      expect((await own.explain(view({ ip }))).control?.target, ip).toBe('203.0.113.0/24')
      expect(control.reaches({ ip: '203.0.113.0/24' }, ip), ip).toBe(true)
    }
    expect(await reasonOf('64:ff9b::203.0.114.7')).toBe('ok')
    expect(await reasonOf('2001:db8::1')).toBe('ok')
  })

  it('an IPv6 address that stands for an IPv4 address is blocked if either of the two is', async () => {
    const { control, reasonOf } = controlled()
    await control.allow({ ip: '203.0.113.0/24' })
    expect(await reasonOf('64:ff9b::203.0.113.7')).toBe('exempt')
    await control.block({ ip: '64:ff9b::cb00:7107/128' })
    expect(await reasonOf('64:ff9b::203.0.113.7')).toBe('blocked')
    expect(await reasonOf('64:ff9b::203.0.113.8')).toBe('exempt')
    await control.block({ ip: '203.0.113.0/24' })
    await control.allow({ ip: '64:ff9b::/96' })
    expect(await reasonOf('64:ff9b::203.0.113.8')).toBe('blocked')
    expect(await reasonOf('64:ff9b::198.51.100.1')).toBe('exempt')
  })

  it('an entry of an IPv4 address lets its IPv6 spellings pass in a network that is blocked', async () => {
    const { control, reasonOf } = controlled()
    await control.block({ ip: '203.0.113.0/24' })
    await control.allow({ ip: '203.0.113.7' })
    for (const ip of spellings) expect(await reasonOf(ip), ip).toBe('exempt')
  })
})

describe('a network', () => {
  for (const [one, other, written] of [
    ['2001:DB8::/32', '2001:db8::/32', '2001:db8::/32'],
    ['2001:0db8:0:0::/32', '2001:db8::/32', '2001:db8::/32'],
    ['::ffff:203.0.113.0/120', '203.0.113.0/24', '203.0.113.0/24'],
    [' 203.0.113.0/24 ', '203.0.113.0/24', '203.0.113.0/24'],
    ['1.2.3.4/0', '0.0.0.0/0', '0.0.0.0/0'],
    ['0::/00', '::/0', '::/0'],
  ] as const)
    it(`a network has one entry, however it is spelled: ${one} is ${written}`, async () => {
      const { control } = controlled()
      const inside = one.includes('::') && !one.includes('ffff') ? '2001:db8::1' : '203.0.113.7'
      await control.block({ ip: one }, { force: true })
      await control.block({ ip: other }, { force: true })
      expect((await control.entries()).map(({ kind, target }) => [kind, target])).toEqual([
        ['block', written],
      ])
      expect(control.keyOf({ ip: one })).toBe(written)
      expect(control.reaches({ ip: one }, inside)).toBe(true)
      expect(await control.unblock({ ip: one })).toBe(true)
      expect(await control.entries()).toEqual([])
      expect((await control.history())[0]).toMatchObject({ act: 'unblock', target: written })
    })

  it('a network of no address is refused, with force too', async () => {
    const { control } = controlled()
    for (const ip of ['999.0.0.0/0', ':::/0', '1.2.3/0'])
      expect((await rejection(control.block({ ip }, { force: true }))).code, ip).toBe('HALT_E_CONTROL')
  })
})

it('keyOf names a client as its entries do', () => {
  const { control, own } = controlled()
  for (const identity of [{ user: '42' }, { ip: '2001:DB8::1' }, { apiKey: 'k', ip: '::1' }, 'job'] as const)
    expect(control.keyOf(identity)).toBe(own.keyOf(identity))
})
