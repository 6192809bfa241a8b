import fc from 'fast-check'
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'

import type { HaltWarning } from '../../src/index.ts'
import { makeDigest } from '../../src/databases/index.ts'
import { mistake } from '../world.ts'

const SECRET = 'sixteen or more letters'

describe('makeDigest', () => {
  it('makeDigest gives the first 128 bits of SHA-256, base64url', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        const expected = createHash('sha256')
          .update(text, 'utf8')
          .digest()
          .subarray(0, 16)
          .toString('base64url')
        expect(makeDigest()(text)).toBe(expected)
      }),
    )
  })

  it('makeDigest gives an HMAC if it has a secret', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        const expected = createHmac('sha256', SECRET)
          .update(text)
          .digest()
          .subarray(0, 16)
          .toString('base64url')
        expect(makeDigest(SECRET)(text)).toBe(expected)
      }),
    )
  })

  describe('of long texts', () => {
    it('a digest tells apart long texts that differ only in their last letter, or in their length', () => {
      const digest = makeDigest()
      const long = 'x'.repeat(1_000_000)
      expect(new Set([digest(`${long}a`), digest(`${long}b`), digest(long), digest(`${long}x`)]).size).toBe(4)
    })
  })

  it('a digest tells apart texts that UTF-8 cannot: lone surrogates', () => {
    const digest = makeDigest()
    const texts = [
      '\ud800',
      '\udc00',
      '\ud801',
      '\ufffd',
      '\ud800\ud800',
      '\udc00\ud800',
      'a\ud800',
      '\ud800a',
    ]
    expect(new Set(texts.map(digest)).size).toBe(texts.length)
  })

  it.each(['', 5, null, {}])('makeDigest refuses the secret %o', secret => {
    expect(mistake(() => makeDigest(secret as string)).code).toBe('HALT_E_SECRET')
  })

  it('makeDigest takes a short secret, warns of it, and does not show it', () => {
    const warnings: HaltWarning[] = []
    const digest = makeDigest('hunter2', warning => void warnings.push(warning))
    expect(digest('key')).not.toBe(makeDigest()('key'))
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_SECRET'])
    expect(JSON.stringify(warnings)).not.toContain('hunter2')
    makeDigest('sixteen letters!', warning => void warnings.push(warning))
    expect(warnings).toHaveLength(1)
  })
})
