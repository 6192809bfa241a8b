import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Identity, QuotaManager } from '../../src/index.ts'
import { makeDigest } from '../../src/databases/index.ts'
import { namePart, subjectOf, userIn } from '../../src/request/identity.ts'
import { mistake, rejection, world } from '../world.ts'

const digest = makeDigest()
const subject = (identity: unknown, bare: 'custom' | 'user' = 'custom'): string =>
  subjectOf(identity as Identity, bare, digest, 56)
const LONG = 'x'.repeat(1 << 20)
/** Ids that an attacker would choose to be counted as another client. */
const HOSTILE = [
  'a',
  'a:b',
  'b',
  '42',
  '42+ip:203.0.113.7',
  '+ip:',
  '#',
  '#x',
  `#${digest('#')}`,
  'ip:203.0.113.7',
  'shared',
  'user:42',
  'unknown',
  '{x}',
  '}',
  '\0',
  '\r\n',
  '*',
  ' ',
  'x '.repeat(2),
  LONG,
  `${LONG}y`,
  '\ud800',
  '\udc00',
  '\ufffd',
  'é',
  'e\u0301',
  'User@X',
  'user@x',
  '__proto__',
]
// The unit 'binary' of fast-check makes a table of a million letters first.
const codePoint = fc.nat({ max: 0x10ffff }).map(code => String.fromCodePoint(code))
const anId = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: codePoint, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('a', '+', 'i', 'p', ':', '#', '1', '.', '\ud800', '\udfff', 'é') }),
)

describe('the user in an identity', () => {
  it.each([{ user: '42' }, { user: 42 }, { user: ' x' }, { user: '{x}' }])(
    'userIn gives the id of a user that an identity names alone: %j',
    identity => {
      const id = userIn(identity)
      expect(id).toBe(String(identity.user))
      expect(subject(identity)).toBe(`user:${namePart(id!, digest)}`)
    },
  )

  it.each([
    ['an address beside it', { user: '42', ip: '203.0.113.7' }],
    ['an address that is undefined', { user: '42', ip: undefined }],
    ['another id', { custom: '42' }],
    ['a request', Object.create({ headers: {} }, { user: { value: '42', enumerable: true } })],
    ['an inherited user', Object.create({ user: '42' })],
    ['no id', { user: '' }],
    ['an object as the user', { user: { id: '42' } }],
    ['nothing', {}],
    ['null', null],
    ['undefined', undefined],
  ])('userIn gives nothing where all of an identity must be read: %s', (_, identity) => {
    expect(userIn(identity as never)).toBeUndefined()
  })
})

describe('the subjects of ids', () => {
  it('the subjects of ids differ if the ids differ, and never equal another principal’s', () => {
    fc.assert(
      fc.property(
        anId,
        anId,
        fc.constantFrom('', '+ip:1.1.1.1'),
        fc.constantFrom('', '+ip:1.1.1.1'),
        (a, b, x, y) => {
          // A user's id, alone or with an address, as in a composite key.
          const one = `user:${namePart(a, digest)}${x}`
          const other = `user:${namePart(b, digest)}${y}`
          expect(one === other).toBe(a === b && x === y)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('the subjects of ids are short and have no control character, for every id', () => {
    fc.assert(
      fc.property(anId, id => {
        const part = namePart(id, digest)
        expect(new TextEncoder().encode(part).length).toBeLessThanOrEqual(128)
        expect(part).not.toMatch(/[\u0000-\u001f\u007f]/)
        expect(part.isWellFormed()).toBe(true)
      }),
    )
  })

  it('a subject shows every character of an id but the control characters', () => {
    for (let code = 0; code < 0x300; code++) {
      const id = `a${String.fromCharCode(code)}`
      expect(namePart(id, digest) === id, String(code)).toBe(code >= 0x20 && code !== 0x7f)
    }
  })

  it('a subject shows an id as it is if the id is short and harmless', () => {
    expect(namePart('42', digest)).toBe('42')
    expect(namePart('x'.repeat(128), digest)).toBe('x'.repeat(128))
    expect(namePart('x'.repeat(129), digest)).toBe(`#${digest('x'.repeat(129))}`)
    // 43 characters of three bytes each are 129 bytes.
    expect(namePart('€'.repeat(42), digest)).toBe('€'.repeat(42))
    expect(namePart('€'.repeat(43), digest)).toBe(`#${digest('€'.repeat(43))}`)
    expect(namePart('#42', digest)).toBe(`#${digest('#42')}`)
    expect(namePart('42+ip:1.1.1.1', digest)).toBe(`#${digest('42+ip:1.1.1.1')}`)
  })
})

describe('an identity', () => {
  it('an identity gives the subject of its ids', () => {
    expect(subject({ user: '42' })).toBe('user:42')
    expect(subject({ user: 0 })).toBe('user:0')
    expect(subject({ ip: '203.0.113.7' })).toBe('ip:203.0.113.7')
    expect(subject({ ip: '[2001:db8:1:2fff::1]:443' })).toBe('ip:2001:db8:1:2f00::/56')
    expect(subject({ ip: '::ffff:203.0.113.7' })).toBe('ip:203.0.113.7')
    expect(subject({ apiKey: 'sk_live' })).toBe(`api-key:#${digest('sk_live')}`)
    expect(subject({ custom: 'job' })).toBe('custom:job')
  })

  it('an identity that is a bare string is never parsed', () => {
    for (const text of HOSTILE.filter(id => id.trim() !== '')) {
      expect(subject(text)).toBe(subject({ custom: text }))
      expect(subject(text, 'user')).toBe(subject({ user: text }))
    }
    expect(subject('user:42')).toBe('custom:user:42')
  })

  const nobody: unknown[] = [undefined, null, {}, '', '  ', 5, [], { user: '' }, { user: null }, { user: {} }]
  nobody.push(
    { ip: 'localhost' },
    { ip: '010.0.0.1' },
    { ip: 5 },
    { apiKey: '' },
    { custom: ' ' },
    { name: 'x' },
  )
  it.each(nobody)('an identity that names no client is refused: %o', async identity => {
    const { limiter, store } = world()
    expect(mistake(() => subject(identity)).code).toBe('HALT_E_IDENTITY')
    const one = limiter({ name: 'p', limit: 1, window: 1 })
    expect((await rejection(one.consume(identity as Identity))).code).toBe('HALT_E_IDENTITY')
    expect((await rejection(one.reset(identity as Identity))).code).toBe('HALT_E_IDENTITY')
    const quota = { name: 'q', limit: 1, period: 'daily' } as const
    const asked = new QuotaManager(store).consumeQuota(identity as Identity, quota)
    expect((await rejection(asked)).code).toBe('HALT_E_IDENTITY')
  })

  it('an identity never shows an API key in an error', () => {
    const error = mistake(() => subject({ apikey: 'sk_live_secret' }))
    expect(error.message.length).toBeLessThan(300)
    expect(mistake(() => subject({ apiKey: ['sk_live_secret'] })).message).not.toContain('sk_live_secret')
  })
})

it('a misspelt kind is named, so that nobody looks for a mistake in the id', () => {
  expect(mistake(() => subject({ userId: '42' })).message).toContain(
    'An identity has no userId. Give { user: "42" }',
  )
})
