// README.md names, for each two capabilities, the test that plays both, or says why they cannot meet.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const THINGS = [
  'hold',
  'fair',
  'waiting',
  'lease',
  'control',
  'penalty',
  'quota',
  'shadow',
  'idempotency',
  'settle/refund',
  'delay',
  'inFlight',
  'headroom',
  'reset',
  'changed policy',
  'outage',
  'close',
  'eviction',
  'pause',
  'foreign cool-down',
  'several buckets',
  'several lengths',
  'upgrade',
]

const packages = fileURLToPath(new URL('../../..', import.meta.url))
const page = readFileSync(new URL('README.md', import.meta.url), 'utf8')
const lines = [...page.matchAll(/^- \*\*([^*]+, [^*]+)\*\*: (.+)$/gm)].map(
  ([, pair, text]) => [pair, text] as [string, string],
)

/** Whether a file has a test of exactly this name. */
function hasTest(file: string, name: string): boolean {
  const path = join(packages, file)
  if (!existsSync(path)) return false
  const source = readFileSync(path, 'utf8')
  const quoted = [`'${name}'`, `"${name}"`, `\`${name}\``]
  // `it('name'`, `it.each(…)('name'`, or the name at the beginning of a line of such a call.
  return quoted.some(text => new RegExp(String.raw`(?:\(|^\s*)${escaped(text)},`, 'm').test(source))
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
}

function sources(): string {
  return readdirSync(packages)
    .map(name => join(packages, name, 'src'))
    .filter(existsSync)
    .flatMap(folder => readdirSync(folder, { recursive: true }).map(file => join(folder, String(file))))
    .filter(file => file.endsWith('.ts'))
    .map(file => readFileSync(file, 'utf8'))
    .join('\n')
}

describe('the page of pairs', () => {
  it('the page has each pair once, in order', () => {
    const pairs = THINGS.flatMap((one, at) => THINGS.slice(at + 1).map(other => `${one}, ${other}`))
    expect(pairs).toHaveLength(253)
    expect(lines.map(([pair]) => pair)).toEqual(pairs)
  })

  it.each(lines)('the page names an existing test of %s, or says why the two cannot meet', (_, text) => {
    const [, name, file] = /^"(.+)" in `(.+)`$/.exec(text) ?? []
    if (name !== undefined && file !== undefined) expect(hasTest(file, name), `${name} in ${file}`).toBe(true)
    else expect(text).toMatch(/^They cannot meet, because .{20,}\.$/)
  })

  it('the page names only codes that the sources have', () => {
    const all = sources()
    const codes = lines.flatMap(([, text]) => text.match(/HALT_[A-Z_]+/g) ?? [])
    expect(codes.length).toBeGreaterThan(0)
    for (const code of codes) expect(all).toContain(code)
  })

  it('the page would miss a test that was renamed', () => {
    expect(hasTest('core/test/pairs/pairs.test.ts', 'the page would miss a test that was renamed')).toBe(true)
    expect(hasTest('core/test/pairs/pairs.test.ts', 'the page would miss a test that was')).toBe(false)
    expect(hasTest('core/test/pairs/gone.test.ts', 'the page would miss a test that was renamed')).toBe(false)
  })
})
