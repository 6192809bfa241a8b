import { describe, expect, it } from 'vitest'

import { logSafe } from '../../src/telemetry/shadow/report.ts'

describe('logSafe', () => {
  it('logSafe leaves ordinary keys unchanged', () => {
    const key = 'user:zoë+ip:2001:db8::/56 api-key:#Ab_9-x é 日本 😀'
    expect(logSafe(key)).toBe(key)
  })

  it.each([
    ['a\nb\r\tc', 'a\\u{a}b\\u{d}\\u{9}c'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['<b onclick="x">\'&`\\', '\\u{3c}b onclick=\\u{22}x\\u{22}\\u{3e}\\u{27}\\u{26}\\u{60}\\u{5c}'],
    [
      '\u2028\u2029\u202e\u200b\ufeff\u0085\u0000',
      '\\u{2028}\\u{2029}\\u{202e}\\u{200b}\\u{feff}\\u{85}\\u{0}',
    ],
    ['\ud800', '\\u{d800}'],
  ])('logSafe writes the unsafe characters of %j as code points', (text, written) => {
    expect(logSafe(text)).toBe(written)
  })
})
