// Node's own crypto and the portable hash must give the same digests, or a key would have two counters.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { hashes } from '../../src/base/libraries/portable.ts'
import * as node from '../../src/base/digest.ts'

const portable = hashes()!

const lengths = fc.oneof(fc.nat(300), fc.constantFrom(55, 56, 63, 64, 65, 119, 120, 511, 512, 513, 100_000))
const data = fc.tuple(lengths, fc.nat(255)).map(([length, byte]) => new Uint8Array(length).fill(byte))

describe('SHA-256', () => {
  it('Node and JavaScript compute the same SHA-256', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), data), bytes => {
        expect(Buffer.from(portable.sha256(bytes)).toString('hex')).toBe(
          Buffer.from(node.sha256(bytes)).toString('hex'),
        )
      }),
    )
  })

  it('Node and JavaScript compute the same HMAC with a key of any length', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), data), fc.uint8Array({ maxLength: 200 }), (bytes, key) => {
        expect(Buffer.from(portable.hmacSha256(key, bytes)).toString('hex')).toBe(
          Buffer.from(node.hmacSha256(key, bytes)).toString('hex'),
        )
      }),
    )
  })
})
