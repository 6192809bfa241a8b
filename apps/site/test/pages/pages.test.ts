import { describe, expect, it } from 'vitest'

import { siteText, twinOf } from '../../src/pages/collect.ts'
import { PEERS } from '../../src/pages/compare.ts'
import { contents } from '../../src/pages/contents.ts'
import { llmsIndex } from '../../src/pages/llms.ts'
import { SITE } from '../../src/pages/repository.ts'
import { type SourcePage, sourcePages } from '../../src/pages/source-pages.ts'
import { sidebar } from '../../src/pages/sidebar.ts'
import { FILES } from '../../src/theme/sandbox.ts'
import { codesIn } from '../../src/theme/codes-in.ts'

const pages = sourcePages()
const routes = new Set(pages.map(({ route }) => route))
const pageAt = (route: string): SourcePage => {
  const page = pages.find(each => each.route === route)
  if (page === undefined) throw new Error(`There is no page ${route}.`)
  return page
}
const site = (route: string): string => siteText(pageAt(route), path => `/${path}`)

describe('the pages of the site', () => {
  it('the pages of the site have a route each', () => expect(routes.size).toBe(pages.length))

  it('the pages link to pages of the site, to files of the repository and to other sites', () => {
    for (const page of pages) {
      const text = siteText(page, path => `/${path}`)
      const links = [...text.matchAll(/\]\((\/[^)\s#]*)/g)].map(([, link = '']) =>
        link.slice(1).replace(/\/$/, '/index'),
      )
      const dead = links.filter(
        link => !routes.has(link) && !link.startsWith('docs/images/') && !link.startsWith('apps/'),
      )
      expect(dead, page.route).toEqual([])
    }
  })

  it('the page of frameworks shows the code of each framework in tabs', () => {
    const text = site('frameworks')
    expect(text.match(/^:::tabs key:framework$/gm)?.length).toBeGreaterThan(6)
    for (const name of ['Express', 'Fastify', 'Hono', 'Nest', 'Fetch handlers'])
      expect(text).toContain(`== ${name}\n`)
    expect(text).toContain("import { halt } from '@halt/hono'")
    expect(text).toContain('== Fastify\n\n```sh\nnpm install @halt/fastify fastify\n```\n\n```ts\n')
  })

  it('the Markdown twin of a page shows the code of each framework under headings', () => {
    expect(twinOf(pageAt('shutdown-and-deploys'))).toContain('**Fastify**\n\n```ts\n')
  })

  it('the pages have tabs wherever an example holds for each framework', () => {
    // Its example is of one framework only because the rest of the page holds for all.
    const exempt = ['testing', 'workers', 'support-desk', 'recipes/model-gateway']
    const general = pages.filter(
      ({ route, text }) =>
        !/^(packages|platforms|migrate|errors|compare|api)\/|^(start|index)$/.test(route) &&
        text.includes("from '@halt/express'"),
    )
    const without = general.filter(({ route }) => !site(route).includes(':::tabs key:framework'))
    expect(general.length).toBeGreaterThan(5)
    expect(without.map(({ route }) => route).filter(route => !exempt.includes(route))).toEqual([])
  })

  it('the pages have the playground and the box for warnings in their places', () => {
    expect(site('playground')).toContain('\n<Playground />\n')
    expect(site('errors/index')).toContain('\n<ErrorFinder />\n')
  })

  it('a page is named in words where the repository names a file', () => {
    expect(site('leases')).toContain('[Reliability](/reliability)')
    for (const { route } of pages) expect(site(route), route).not.toMatch(/\[[A-Z]+\.md\]\(/)
  })

  it('a page with an anchor in the sidebar also has an entry without one, which tells the pager what is open', () => {
    const links = sidebar().flatMap(({ items }) => items.map(({ link }) => link))
    const anchored = links.filter(link => link.includes('#'))
    expect(anchored.filter(link => !links.includes(link.replace(/#.*/, '')))).toEqual([])
  })

  it('the entries of the sidebar have different texts', () => {
    const texts = sidebar()
      .filter(({ text }) => text !== 'Compare' && text !== 'Migrate')
      .flatMap(({ items }) => items.map(({ text }) => text))
    expect(texts.filter((text, i) => texts.indexOf(text) !== i)).toEqual([])
  })

  it('the sidebar begins with ten pages, among them the one for complaints, and has each page once', () => {
    const [needed, ...others] = sidebar()
    expect(needed?.items).toHaveLength(10)
    expect(needed?.items.slice(0, 3)).toContainEqual({ text: '429 at nine in the evening', link: '/runbook' })
    expect(others.filter(({ collapsed }) => collapsed !== true)).toEqual([])
    const links = sidebar().flatMap(({ items }) => items.map(({ link }) => link))
    expect(links.filter((link, i) => links.indexOf(link) !== i)).toEqual([])
  })

  it('the sidebar has the pages under the titles of docs/README.md', () => {
    const links = sidebar().flatMap(({ items }) => items.map(({ link }) => link))
    expect(links).toContain('/algorithms')
    expect(links).toContain('/packages/express')
    expect(links).toContain('/errors/')
    expect(contents().map(({ title }) => title)).toContain('Understand')
  })
})

describe('the first page', () => {
  const example = /^import { halt } from '@halt\/express'\n[\s\S]*?^app\.listen\(3000\)\n/m
  const tested = example.exec(pageAt('start').text)?.[0]

  it('the first page has the example that the README has, which tests run', () => {
    expect(tested).toContain("window: '1m'")
    expect(pageAt('index').text).toContain(tested)
    expect(FILES['app.mjs']).toBe(tested)
  })

  it('the first page has the measured numbers of the page that starts', () => {
    const said = pageAt('start').text
    const [, least, most] = /([\d.]+) to ([\d.]+)\s+µs/.exec(said) ?? []
    const [, times, moreTimes] = /([\d.]+) to ([\d.]+)\s+times/.exec(said) ?? []
    const { text } = pageAt('index')
    expect(text.match(/[\d.]+–[\d.]+ µs/g)).toEqual([`${least}–${most} µs`])
    expect(text.match(/[\d.]+–[\d.]+ ×/g)).toEqual([`${times}–${moreTimes} ×`])
  })

  it('the first page and a guide show install lines for other package managers', () => {
    const text = site('index')
    expect(text).toContain('== pnpm\n\n```sh\npnpm add express @halt/express\n```')
    expect(site('migrate/limiter')).toContain('bun remove limiter\n')
  })
})

describe.each(PEERS)('the comparison with $name', ({ name, guide }) => {
  const { text } = pageAt(`compare/${guide}`)

  it('the comparison has its date, both columns, and what behaves differently', () => {
    expect(text).toMatch(/read and run on \d+ \w+ 20\d\d\./)
    expect(text).toContain(`| Halt | ${name} |`)
    expect(text).toMatch(/## What behaves differently\n\n\|/)
  })

  it('the comparison has measured rows of Halt, and the day of each table', () => {
    const measured = text.slice(text.indexOf('## Measured'))
    const tables = measured.split('### ').slice(1)
    expect(tables.length).toBeGreaterThan(2)
    for (const table of tables) expect(table).toMatch(/\d{4}-\d\d-\d\d$/m)
    expect(measured).toMatch(/^\| @halt\//m)
  })
})

describe('the Markdown twins', () => {
  it('the Markdown twins have whole addresses, and no parts that only the site understands', () => {
    for (const page of pages) {
      const prose = twinOf(page)
        .replaceAll(/^ *```[\s\S]*?^ *```/gm, '')
        .replaceAll(/`[^`\n]*`/g, '')
      const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
      expect(
        links.filter(link => !/^(?:https?:|#|mailto:)/.test(link)),
        page.route,
      ).toEqual([])
      expect(prose, page.route).not.toMatch(/^:::|<!-- error finder/m)
    }
  })

  it('the twin of the front page has its words and links, and nothing of its YAML', () => {
    const text = twinOf(pageAt('index'))
    expect(text).toMatch(/^# Halt\n\nRate limiting for Node services\. Exact in memory/)
    expect(text).toContain(`[A first limit](${SITE}/start.md#a-first-limit) · `)
    expect(text).toContain(`[Coming from express-rate-limit](${SITE}/migrate/express-rate-limit.md)`)
    expect(text).toMatch(
      /^- \*\*Says why\*\*: Every decision .* \[[^\]]+\]\(https:[^)]+\/errors\/index\.md\)$/m,
    )
    expect(text).not.toMatch(/---|VPHome|theme:/)
    const linked = [...text.matchAll(/\]\(([^)#]+)\.md/g)].map(([, link = '']) => link.slice(SITE.length + 1))
    expect(linked.filter(route => !routes.has(route))).toEqual([])
  })

  it('llms.txt lists the Markdown twins with their subjects', () => {
    const list = llmsIndex(pages)
    expect(list).toContain(`- [Concepts](${SITE}/concepts.md): the words, the keys, the decision`)
    expect(list).toContain(`(${SITE}/compare/express-rate-limit.md)`)
    const linked = [...list.matchAll(/\]\(([^)]+)\.md\)/g)].map(([, link = '']) =>
      link.slice(SITE.length + 1),
    )
    expect(linked.filter(route => !routes.has(route))).toEqual([])
    expect(new Set(linked).size).toBe(linked.length)
  })
})

describe('the box for warnings', () => {
  it('the box for warnings finds the codes in a text, each once', () => {
    const log =
      '(node:1) [HALT_W_UNTRUSTED_PROXY] HaltWarning: …\nHALT_E_LIMIT: limit is 0. HALT_E_LIMIT_ HALT_X_NO'
    expect(codesIn(log)).toEqual(['HALT_W_UNTRUSTED_PROXY', 'HALT_E_LIMIT'])
    expect(codesIn('Error: out of memory')).toEqual([])
  })
})
