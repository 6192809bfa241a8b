import type { Digest } from '@halt/core/store'

// Only printable ASCII, because a database need not be in UTF-8, and because keys are sent in lines. A text that begins with #
// would look like a digest. An index entry must stay short.
const SAFE = /^(?!#)[\x20-\x7e]{1,200}$/

/** Writes the key of a counter: `{prefix}|{subject} {counter}`. */
export type KeyWriter = (subject: string, counter: string) => string

/**
 * Makes the writer of keys. Two counters never have the same key, because a prefix holds no `|`, and the name of a counter no
 * space.
 */
export function keyWriter(prefix: string, digest: Digest): KeyWriter {
  const safe = (text: string): string => (SAFE.test(text) ? text : `#${digest(text)}`)
  return (subject, counter) =>
    `${prefix}|${safe(subject)} ${counter.includes(' ') ? `#${digest(counter)}` : safe(counter)}`
}
