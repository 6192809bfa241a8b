import { RateLimiter, type RequestView } from '@halt/core'
import { makeDigest } from '@halt/core/store'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { unique } from '../../../tools/unique.ts'
import { RedisStore } from '../src/index.ts'
import { keyWriter, slotOf } from '../src/keys.ts'

const digest = makeDigest()
// Parts of ids that try to look like another counter's key.
const pieces = fc.constantFrom(
  'a',
  'b',
  'user',
  'halt',
  '42',
  ' ',
  ':',
  '::',
  '{',
  '}',
  '}:',
  '{halt}',
  '#',
  '@',
  '+ip:',
  '\n',
  '\0',
  '\r',
  '\x7f',
  '\ud800',
  '\udfff',
  '\ufffd',
  '😀',
  'é',
  ':t',
  'p:t',
  ':p:t',
  '@held:c',
  '*',
  '%7B',
)
// The unit 'binary' of fast-check makes a table of a million letters first.
const codePoint = fc.nat({ max: 0x10ffff }).map(code => String.fromCodePoint(code))
const text = fc.oneof(
  fc.array(pieces, { maxLength: 6 }).map(parts => parts.join('')),
  fc.string({ unit: codePoint, maxLength: 12 }),
)
const subject = fc.oneof(
  text,
  text.map(id => `user:${id}`),
  text.map(id => `#${digest(id)}`),
)
const counter = fc.oneof(text, fc.constantFrom('p:t', 'b:p:t', 'p:p', 'p@GET:/:t', 'a:p:t'))
const prefix = fc.constantFrom('', 'a', 'halt:', 'halt:a:', 'user:')
// The key as a client encodes it. Two texts with one encoding are one key.
const sent = (key: string): string => Buffer.from(key).toString('latin1')

describe('the key of a counter', () => {
  it.each([false, true])(
    'a key differs from that of any other counter, whatever the ids hold; in one slot: %s',
    oneSlot => {
      const key = fc.tuple(prefix, subject, counter)
      fc.assert(
        fc.property(key, key, (one, other) => {
          const [first, second] = [one, other].map(([start, ...rest]) =>
            sent(keyWriter(start, oneSlot, digest)(...(rest as [string, string]))),
          )
          const isSame = one.every((part, i) => part === other[i])
          expect(first === second).toBe(isSame)
        }),
        { numRuns: isFull ? 5_000 : 1_500 },
      )
    },
  )

  it.each([false, true])(
    'a key differs from that of the same text split elsewhere; in one slot: %s',
    oneSlot => {
      const key = keyWriter('halt:', oneSlot, digest)
      fc.assert(
        fc.property(fc.array(pieces, { minLength: 2, maxLength: 8 }), parts => {
          const whole = parts.join(':')
          const keys = new Map<string, string>()
          for (let at = whole.indexOf(':'); at >= 0; at = whole.indexOf(':', at + 1)) {
            const cut = [whole.slice(0, at), whole.slice(at + 1)] as const
            const name = sent(key(...cut))
            expect(keys.get(name) ?? JSON.stringify(cut)).toBe(JSON.stringify(cut))
            keys.set(name, JSON.stringify(cut))
          }
        }),
        { numRuns: isFull ? 5_000 : 1_500 },
      )
    },
  )

  it('a key is in a slot that the subject alone chooses, or in one slot with all others', () => {
    fc.assert(
      fc.property(subject, counter, counter, (who, one, other) => {
        const [own, together] = [false, true].map(oneSlot => keyWriter('halt:', oneSlot, digest)) as [
          ReturnType<typeof keyWriter>,
          ReturnType<typeof keyWriter>,
        ]
        expect(slotOf(own(who, one))).toBe(slotOf(own(who, other)))
        expect(slotOf(together(who, one))).toBe(slotOf('{halt}'))
      }),
    )
  })
})

it.each(['one', 'per-subject'] as const)(
  'a user cannot choose an id that counts for another, slots: %s',
  async slots => {
    const client = new Redis(inject('redisUrl'))
    const store = new RedisStore({ client, slots, prefix: `${unique()}:` })
    const options = { store, onStoreError: 'closed', storeTimeout: '5s' } as const
    const policy = { name: 'api', limit: 2, window: '1h', keyStrategy: 'user', scope: 'route' } as const
    const victim = new RateLimiter({ ...options, policy })
    // With colons alone, the key of this user would equal that of user 42 at that route.
    const attacker = new RateLimiter({ ...options, policy: { ...policy, name: 'id', scope: 'global' } })
    const path = '/items/7'
    const asked = (id: string): RequestView => {
      const request = { user: { id } }
      return { method: 'GET', path, route: '/items/:id', ip: '203.0.113.7', headers: {}, request }
    }
    for (let i = 0; i < 3; i++) await attacker.check(asked('42:api@GET:/items/'))
    const decisions = [await victim.check(asked('42')), await victim.check(asked('42'))]
    expect(decisions.map(({ remaining, degraded }) => [remaining, degraded])).toEqual([
      [1, false],
      [0, false],
    ])
    await store.close()
    await client.quit()
  },
)
