import type { Digest } from '@halt/core/store'

// Redis takes the text between the first braces as the hash tag, and ignores an empty one. Control characters break logs
// and tools. A subject that begins with # would look like a digest.
const UNSAFE = /^#|^$|[{}\u0000-\u001f\u007f]/

/**
 * Writes the key of a counter: `{prefix}{subject}:{policy}:{code}`. The subject stands in real braces, as the hash tag.
 *
 * Two counters never have the same key, because neither the prefix nor the subject holds a brace: the part before the
 * braces is the prefix, the part in them the subject, and the rest the counter.
 */
export type KeyWriter = (subject: string, counter: string) => string

/**
 * Makes the writer of keys.
 *
 * @param oneSlot puts all keys of a cluster in one hash slot, instead of one slot per subject: `{prefix}{halt}{subject}:…`
 */
export function keyWriter(prefix: string, oneSlot: boolean, digest: Digest): KeyWriter {
  // Clients encode every lone surrogate as the same replacement character, so such texts are digested.
  const name = (subject: string): string =>
    UNSAFE.test(subject) || !subject.isWellFormed() ? `#${digest(subject)}` : subject
  const rest = (counter: string): string =>
    counter.startsWith('#') || !counter.isWellFormed() ? `#${digest(counter)}` : counter
  const start = oneSlot ? `${prefix}{halt}{` : `${prefix}{`
  return (subject, counter) => `${start}${name(subject)}}:${rest(counter)}`
}

/** The hash slot of a key, 0 to 16383: CRC16 (XMODEM) of its hash tag, modulo 16384. */
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
