import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { describe, expect, it, onTestFinished } from 'vitest'

import { exportsIn } from '../../src/pages/api-exports.ts'
import { PLAIN_WORDS } from '../../src/pages/plain-words.ts'
import { searchData } from '../../src/pages/search-entries.ts'
import { sourcePages } from '../../src/pages/source-pages.ts'
import { AnswerFinder, indexOf } from '../../src/search/answers.ts'
import { excerptOf } from '../../src/search/excerpt.ts'
import { exportsNamed, mayBeExport } from '../../src/search/exports.ts'

const { entries, texts } = searchData(sourcePages())
const index = indexOf(entries)
const finder = new AnswerFinder(index)
const first = (question: string): string => finder.find(question).list[0]?.address ?? ''

/** Where a reader lands who takes the first answer. */
function landing(question: string): string {
  const [answer] = finder.find(question).list
  const anchor = excerptOf(texts.get(answer?.address ?? '') ?? [], answer?.terms ?? [])?.anchor ?? ''
  return `${answer?.address}${anchor === '' ? '' : `#${anchor}`}`
}

describe('the search', () => {
  it.each([
    ['block an ip', 'runbook#an-abuser'],
    ['redis down', 'reliability'],
    ['429 retry-after', 'headers#a-refusal'],
    ['monthly quota reset', 'quotas'],
    ['per tenant limit', 'hierarchical-limits'],
    ['ban user', 'incidents'],
    ['jest', 'testing'],
    ['usage page', 'quotas#usage-for-your-customers'],
    ['login brute force', 'recipes/login-protection'],
    ['websocket', 'recipes/websockets'],
    ['whitelist ip', 'adapter-options'],
    ['x-forwarded-for', 'proxies'],
    ['what happens when redis is down?', 'reliability'],
    ['free and pro plan', 'recipes/per-plan-limits'],
    ['openai tokens per minute', 'recipes/llm-endpoint'],
    ['noisy neighbour', 'fair-shares'],
    ['limit concurrent requests', 'recipes/concurrency'],
    ['fail open or fail closed', 'reliability'],
    ['dry run', 'recipes/shadow-roll-out'],
    ['a customer gets 429', 'runbook#one-customer'],
    ['grafana dashboard', 'telemetry'],
    ['skip health check', 'adapter-options'],
    ['kubernetes graceful shutdown', 'shutdown-and-deploys'],
    ['how do I call a third party api at 10 requests per second', 'recipes/outgoing-calls'],
    ['gdpr', 'privacy'],
    ['credential stuffing', 'recipes/login-protection'],
    ['bottleneck', 'migrate/bottleneck'],
    ['token bucket or sliding window', 'algorithms'],
    ['blacklist', 'runbook#an-abuser'],
    ['outage', 'reliability'],
    ['express', 'packages/express'],
    ['why is nobody limited', 'troubleshooting'],
    ['how fast is it', 'limits-of-halt'],
    ['a different limit per route', 'packages/express#where-to-mount-it'],
    ['rate limit by API key', 'concepts#whose-counter'],
    ['message when the limit is reached', 'headers#a-refusal'],
  ])('the question "%s" leads to %s', (question, address) => {
    const found = landing(question)
    expect(address.includes('#') ? found : found.replace(/#.*/, '')).toBe(address)
  })

  it('a code leads to its page, whole or in small letters, and stands behind the guides elsewhere', () => {
    expect(first('HALT_E_LIMIT')).toBe('errors/HALT_E_LIMIT')
    expect(first('halt_w_trust_proxy_ignored')).toBe('errors/HALT_W_TRUST_PROXY_IGNORED')
    for (const { title } of entries.filter(({ kind }) => kind === 'error'))
      expect(first(title), title).toBe(`errors/${title}`)
    const kinds = finder.find('the store timed out').list.map(({ kind }) => kind)
    expect(kinds).toContain('error')
    expect(kinds.lastIndexOf('guide')).toBeLessThan(kinds.indexOf('error'))
  })

  it('the answers of a kind stand together, because the box shows them below one heading', () => {
    for (const { title } of entries) {
      const kinds = finder.find(title).list.map(({ kind }) => kind)
      const runs = kinds.filter((kind, i) => kind !== kinds[i - 1])
      expect(runs, title).toEqual([...new Set(kinds)])
    }
  })

  it('a word that is not typed to its end finds what it begins', () => {
    expect(first('quot')).toBe('quotas')
    expect(first('login prot')).toBe('recipes/login-protection')
  })

  it('a mistake in a long word finds the word, and says so; a short word finds no other one', () => {
    expect(finder.find('websokcet').isNear).toBe(true)
    expect(first('websokcet')).toBe('recipes/websockets')
    expect(finder.find('block').list.flatMap(({ terms }) => terms)).not.toContain('clock')
    expect(finder.find('blqck').list.map(({ address }) => address)).not.toContain('errors/HALT_E_CLOCK')
  })

  it('a question that no page answers has no answer', () => {
    expect(finder.find('zebra xylophone').list).toEqual([])
    expect(finder.find('how is the').list).toEqual([])
  })

  it('an answer of a guide has an excerpt with its words, and none has a mark of Markdown', () => {
    const [answer] = finder.find('sliding window').list
    const parts = excerptOf(texts.get(answer?.address ?? '') ?? [], answer?.terms ?? [])?.parts ?? []
    expect(parts.filter(({ isFound }) => isFound).map(({ text }) => text.toLowerCase())).toEqual(
      expect.arrayContaining(['sliding', 'window']),
    )
    expect(parts.map(({ text }) => text).join('').length).toBeLessThan(190)
    const all = [...texts.values()].flat().map(([, , text]) => text)
    expect(all.filter(text => /\]\(|\*\*|```|<!--/.test(text))).toEqual([])
  })

  it('each plain word is of a page and of a section that exist', () => {
    const places = [...texts].flatMap(([route, sections]) =>
      sections.map(([anchor]) => (anchor === '' ? route : `${route}#${anchor}`)),
    )
    expect(Object.keys(PLAIN_WORDS).filter(place => !places.includes(place))).toEqual([])
  })

  it('every page that the sidebar shows can be found by its title', () => {
    const guides = entries.filter(({ kind }) => kind === 'guide')
    expect(guides.length).toBeGreaterThan(60)
    const lost = guides.filter(({ title, address }) => {
      const found = finder.find(title).list.map(each => each.address)
      return !found.slice(0, 3).includes(address)
    })
    expect(lost.map(({ title }) => title)).toEqual([])
  })

  it('the index has at most 90 kB on its way, and the sections of a page 12 kB', () => {
    expect(gzipSync(index).length).toBeLessThan(90_000)
    for (const [route, sections] of texts)
      expect(gzipSync(JSON.stringify(sections)).length, route).toBeLessThan(12_000)
  })
})

describe('the exports of the API reference', () => {
  it('the exports are those that typedoc has written, with their anchors', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'halt-api-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await mkdir(join(folder, '@halt'))
    const exported = (anchor: string, name: string): string =>
      `<a id="${anchor}"></a>\n\n### ${name}\n\nText.\n`
    const text = `# @halt/core\n\n${exported('halt', 'halt()')}${exported('decision', 'Decision')}\n#### Properties\n`
    await writeFile(join(folder, '@halt/core.md'), text)
    await writeFile(join(folder, 'index.md'), exported('no', 'No'))
    expect(exportsIn(folder)).toEqual([
      ['halt', '@halt/core', 'halt'],
      ['Decision', '@halt/core', 'decision'],
    ])
    expect(exportsIn(join(folder, 'missing'))).toEqual([])
  })

  const all = [
    ['RateLimiterOptions', '@halt/core', 'ratelimiteroptions'],
    ['RateLimiter', '@halt/core', 'ratelimiter'],
    ['halt', '@halt/express', 'halt'],
  ] as const

  it('a name finds exports that are or begin with it, the exact one first', () => {
    expect(exportsNamed(all, 'ratelimiter').map(([name]) => name)).toEqual([
      'RateLimiter',
      'RateLimiterOptions',
    ])
    expect(exportsNamed(all, 'halt()').map(([name]) => name)).toEqual(['halt'])
  })

  it('a question of several words, or of two letters, is not the name of an export', () => {
    expect(['halt a client', 'ip', ' RateLimiter '].map(mayBeExport)).toEqual([false, false, true])
  })
})
