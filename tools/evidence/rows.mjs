// The rows of docs/evidence.md. A patch names in its first lines what it breaks and what must notice:
//
//   Promise: RELIABILITY.md: token bucket      one line for each promise that the test holds
//   Breaks: A bucket is refilled twice as fast.
//   Test: packages/core/test/algorithms/token-bucket.test.ts
//   Fails: a part of the name of a test that then fails
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** A patch, and what it says of itself.
 * @typedef {object} Row
 * @property {string} name the name of its file, without the ending
 * @property {string[]} promises
 * @property {string} breaks
 * @property {string} test the test file
 * @property {string} fails a part of the name of a test in it
 * @property {string} patch the whole text
 */

/** @returns {Row[]} by the names of their files */
export function rows() {
  const names = readdirSync(folder).filter(name => name.endsWith('.patch'))
  return names.sort().map(file => {
    const patch = readFileSync(join(folder, file), 'utf8')
    const head = patch.slice(0, patch.indexOf('\n--- ') + 1)
    /** @param {string} field */
    const all = field =>
      [...head.matchAll(new RegExp(`^${field}: (.+)$`, 'gm'))].map(([, text = '']) => text.trim())
    /** @param {string} field */
    const one = field => {
      const [text] = all(field)
      if (text === undefined) throw new Error(`${file} has no line "${field}: …".`)
      return text
    }
    one('Promise')
    return {
      name: file.replace('.patch', ''),
      promises: all('Promise'),
      breaks: one('Breaks'),
      test: one('Test'),
      fails: one('Fails'),
      patch,
    }
  })
}
