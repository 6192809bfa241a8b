import { makeDigest } from '@halt/core/store'
import { expect, it } from 'vitest'

import { keyWriter } from '../src/keys.ts'

const key = keyWriter('shop:', makeDigest())

it('a key shows the prefix, the subject and the counter', () => {
  expect(key('ip:203.0.113.7', 'api:t')).toBe('shop:|ip:203.0.113.7 api:t')
})

it.each(['', 'é', 'a\nb', 'a\u0000b', '\uD800', '#x', 'x'.repeat(300)])(
  'a key digests the subject %j',
  subject => {
    expect(key(subject, 'api:t')).toMatch(/^shop:\|#[\w-]+ api:t$/)
  },
)

it('different counters have different keys, whatever the subjects and prefixes contain', () => {
  const other = keyWriter('shop', makeDigest())
  const keys = [
    key('a b', 'c'),
    key('a', 'b c'),
    other(':|a b', 'c'),
    key('e\u0301', 'c'),
    key('é', 'c'),
    key('\uD800', 'c'),
    key('\uDBFF', 'c'),
  ]
  expect(new Set(keys).size).toBe(keys.length)
})
