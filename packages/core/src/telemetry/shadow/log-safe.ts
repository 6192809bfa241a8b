// Control characters, line breaks, marks of text direction, lone surrogates, and characters special to HTML or shells.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>&"'`\\]/gu

/**
 * Escapes a text that a client chose, so that it cannot break out of a log line or a page. Unsafe characters become their code
 * point, such as `\u{a}`.
 */
export function logSafe(text: string): string {
  return text.replace(UNSAFE, found => `\\u{${(found.codePointAt(0) as number).toString(16)}}`)
}
