import type { Digest } from '@halt/core/store'

// Redis reads the text between the first braces as the hash tag, and an empty one as none. Line feeds and NULs make logs
// and tools lie. What begins with # would look like a digest.
const UNSAFE = /^#|^$|[{}\u0000-\u001f\u007f]/

/**
 * Writes a counter's key: `{prefix}{subject}:{policy}:{letter}`, the subject in braces as the hash tag.
 *
 * Two counters never get one key: a prefix holds no brace, a subject in its braces holds none, and the cell is the rest.
 */
export type KeyWriter = (subject: string, counter: string) => string

/**
 * Makes the writer of keys.
 *
 * @param oneSlot puts all keys in one hash slot of a cluster instead of one slot a subject: `{prefix}{halt}{subject}:…`
 */
export function keyWriter(prefix: string, oneSlot: boolean, digest: Digest): KeyWriter {
  // A client writes every lone surrogate as one and the same replacement character.
  const name = (subject: string): string =>
    UNSAFE.test(subject) || !subject.isWellFormed() ? `#${digest(subject)}` : subject
  const rest = (counter: string): string =>
    counter.startsWith('#') || !counter.isWellFormed() ? `#${digest(counter)}` : counter
  const start = oneSlot ? `${prefix}{halt}{` : `${prefix}{`
  return (subject, counter) => `${start}${name(subject)}}:${rest(counter)}`
}

/** The hash slot of a key by its tag: CRC16 (XMODEM) modulo 16384. */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const tag = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of encoder.encode(tag))
    crc = ((crc << 8) ^ (TABLE[((crc >>> 8) ^ byte) & 0xff] as number)) & 0xffff
  return crc & 16_383
}

const encoder: { encode(text: string): Uint8Array } = new TextEncoder()
const TABLE: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})
