// Controls, what breaks lines or turns their direction, lone surrogates, and what HTML and shells read.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>&"'`\\]/gu

/**
 * Makes a text that a client chose fit for a log line or a page: what could break out of either is written as its code
 * point, `\u{a}`.
 */
export function logSafe(text: string): string {
  return text.replace(UNSAFE, found => `\\u{${(found.codePointAt(0) as number).toString(16)}}`)
}
