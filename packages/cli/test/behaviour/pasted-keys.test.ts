// Whatever text names a client in one tool can be pasted into every other one: a decision's key, an entry's target, an address.
import { Control } from '@halt/control'
import { type Identity, RateLimiter } from '@halt/core'
import { operator } from '@halt/operator'
import { InMemoryStore } from '@halt/store-memory'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'

import { whomOf } from '../../../operator/page/whom.js'
import { targetOf } from '../../src/operate/target.ts'

/** A limiter, its control and the operator's page, on one store. */
function scene(reveal = true) {
  const store = new InMemoryStore()
  const control = new Control({ store, warn: () => {} })
  const policy = { name: 'api', limit: 9, window: 60, keyStrategy: 'user' } as const
  const limiter = new RateLimiter({ store, control, policy, warn: () => {} })
  const page = operator({ limiters: [limiter], control, authorize: () => 'ann', reveal })
  onTestFinished(() => {
    page.close()
    control.close()
  })
  const call = async (name: string, body: object): Promise<Record<string, any>> => {
    const answer = await page(
      new Request(`http://localhost/halt/api/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-halt-operator': '1' },
        body: JSON.stringify(body),
      }),
    )
    return (await answer.json()) as Record<string, any>
  }
  return { control, limiter, call }
}

const hostile = fc.constantFrom(
  'custom:acme',
  'user:7',
  '#1',
  'a+ip:b',
  '42 ',
  'x'.repeat(200),
  'ü:ö',
  '203.0.113.7',
  '::1',
)
const id = fc.oneof(fc.string({ minLength: 1, maxLength: 30 }), hostile).filter(text => text.trim() !== '')
const address = fc.oneof(fc.ipV4(), fc.ipV6())
const identity: fc.Arbitrary<Exclude<Identity, string>> = fc.oneof(
  id.map(user => ({ user })),
  id.map(custom => ({ custom })),
  id.map(apiKey => ({ apiKey })),
  address.map(ip => ({ ip })),
  fc.tuple(id, address).map(([user, ip]) => ({ user, ip })),
  fc.tuple(id, address).map(([apiKey, ip]) => ({ apiKey, ip })),
)

it('the command line and the page read every key that a decision shows as the client of that decision', async () => {
  const { control, limiter, call } = scene()
  await fc.assert(
    fc.asyncProperty(identity, fc.constantFrom('user', 'ip', 'apiKey', 'custom'), async (client, kind) => {
      const key = limiter.keyOf(client)
      // White space at the ends does not survive a copy.
      fc.pre(key === key.trim())
      const named = await targetOf(key, { positionals: [], flags: {} }, control)
      expect([key, limiter.keyOf(named)]).toEqual([key, key])
      const found = await call('find', { whom: whomOf(kind, key) })
      expect([key, found['who']]).toEqual([key, key])
    }),
    { numRuns: 300 },
  )
})

it('an address or a network alone is one in the command line and on the page, whatever the form says', async () => {
  const { control, call } = scene()
  for (const [text, key] of [
    ['203.0.113.7', 'ip:203.0.113.7'],
    ['2001:db8:1:2::3', 'ip:2001:db8:1::/56'],
    ['ip:2001:db8:1::/56', 'ip:2001:db8:1::/56'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['2001:db8::/32', '2001:db8::/32'],
  ] as const) {
    const named = await targetOf(text, { positionals: [], flags: {} }, control)
    const found = await call('find', { whom: whomOf('user', text) })
    expect([text, control.keyOf(named), found['who']]).toEqual([text, key, key])
  }
  expect(whomOf('user', '42', '203.0.113.7')).toEqual({ user: '42', ip: '203.0.113.7' })
  expect(whomOf('custom', 'user:42', '203.0.113.7')).toBe('user:42+ip:203.0.113.7')
})

it('a digest of an API key names its client in every tool, and one of the page only on the page', async () => {
  const { control, limiter, call } = scene(false)
  const key = limiter.keyOf({ apiKey: 'sk_1' })
  await control.block({ apiKey: 'sk_1' })
  const { entries } = await call('find', { whom: key })
  expect(entries).toMatchObject([{ kind: 'block' }])
  const shown = entries[0].target
  expect(shown).toMatch(/^api-key #/)
  const act = { act: 'unblock', whom: whomOf('user', shown), reason: 'a mistake', confirmed: true }
  expect(await call('act', act)).toMatchObject({ done: true })
  expect(await control.entries()).toEqual([])
  await expect(targetOf(shown, { positionals: [], flags: {} }, control)).rejects.toThrow(
    /The operator's page shows keys so without reveal/,
  )
})

it('a text that names nobody is refused with the forms that do', async () => {
  const { control, call } = scene()
  for (const text of ['42', 'acme', 'shared', 'ip:unknown', 'user:', '12:34']) {
    await expect(targetOf(text, { positionals: [], flags: {} }, control)).rejects.toThrow(/Write user:42/)
    const { error } = await call('find', { whom: text })
    expect(error).toMatchObject({ code: 'HALT_E_OPERATOR', fix: expect.stringContaining('custom:acme') })
  }
  await expect(
    targetOf('user:42+ip:203.0.113.7', { positionals: [], flags: { ip: '::1' } }, control),
  ).rejects.toThrow(/has an address already/)
})
