// The documentation has a page for every code, a code for every page, and only links with an existing target.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

import { githubAnchor } from '../../../../tools/github-anchor.ts'
import { mistake, world } from '../world.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
/** The types of the codes, which are printed from the pages. */
const CODES = 'packages/core/src/base/codes.ts'
const errors = join(root, 'docs/errors')
const pages = readdirSync(errors)
  .filter(name => name.startsWith('HALT_'))
  .map(name => name.replace('.md', ''))
  .sort()

describe('docs/errors', () => {
  const codes = [...codesIn(sources())].sort()

  it('the list of codes has those of limits, warnings and stores', () => {
    expect(codes).toContain('HALT_E_LIMIT')
    expect(codes).toContain('HALT_W_PRIVATE_EXEMPT')
    expect(codes).toContain('HALT_E_STORE_READONLY')
  })

  it('docs/errors has a page for every code, and no page without one', () => {
    expect(pages).toEqual(codes)
  })

  it('the types of the codes list every page of docs/errors', () => {
    const [, errors = '', warnings = ''] = readFileSync(join(root, CODES), 'utf8').split('export type')
    const typed = [errors, warnings].flatMap((union, i) =>
      (union.match(/(?<=').*(?=')/g) ?? []).map(name => `HALT_${i === 0 ? 'E' : 'W'}_${name}`),
    )
    expect(typed.toSorted(), 'Run node tools/print-codes.mjs.').toEqual(pages)
  })

  it.each(pages)('the page of %s tells the meaning, the reason, an example and the fix', code => {
    const text = readFileSync(join(errors, `${code}.md`), 'utf8')
    const parts = [
      `# ${code}\n\n`,
      '**Why it matters.**',
      '\n## An example\n',
      '\n## The fix\n',
      '[All codes](README.md)',
    ]
    const places = parts.map(part => text.indexOf(part))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(text.match(/^```ts$/gm)?.length).toBeGreaterThanOrEqual(2)
  })

  it.each(pages)('the index of codes lists %s with the first sentence of its page', code => {
    const index = readFileSync(join(errors, 'README.md'), 'utf8')
    const row = index.split('\n').find(line => line.startsWith(`| [\`${code}\`](${code}.md)`)) ?? ''
    const said = row.split('|')[2]?.trim().replace(/\.$/, '') ?? ''
    const [, begins = ''] = readFileSync(join(errors, `${code}.md`), 'utf8').split('\n\n')
    expect(said.length).toBeGreaterThan(10)
    expect(begins.replaceAll('\n', ' ').slice(0, said.length)).toBe(said)
  })

  it.each(['limit', 'burst', 'inFlight'])('the page of a wrong %s names the bound of its message', field => {
    const wrong = { name: 'api', limit: 10, window: 60, [field]: 0 }
    const { code, fix } = mistake(() => world().limiter(wrong))
    const [bounds = 'no bounds'] = /from 1 to \d+/.exec(fix) ?? []
    const page = readFileSync(join(errors, `${code}.md`), 'utf8')
    expect(page.replaceAll(/(?<=\d) (?=\d{3})/g, '')).toContain(bounds)
  })
})

describe('the README of every package', () => {
  const readmes = documents().filter(name => /^packages\/[^/]+\/README\.md$/.test(name))

  it.each(readmes)('the README %s has only absolute links, because npm shows it as well', name => {
    const links = linksIn(readFileSync(join(root, name), 'utf8'))
    expect(links.filter(link => !link.startsWith('#'))).toEqual([])
  })
})

describe('every Markdown file', () => {
  it.each(documents())('the document %s has only links with an existing target', name => {
    const file = join(root, name)
    const text = readFileSync(file, 'utf8')
    const broken = linksIn(text).filter(link => !leadsSomewhere(link, file))
    const brokenHere = linksToThisRepository(text).filter(
      link => !leadsSomewhere(link, join(root, 'README.md')),
    )
    expect([...broken, ...brokenHere, ...undefinedIn(text)]).toEqual([])
  })
})

function sources(): string[] {
  return readdirSync(join(root, 'packages'))
    .map(name => join(root, 'packages', name, 'src'))
    .filter(existsSync)
    .flatMap(folder => readdirSync(folder, { recursive: true }).map(file => join(folder, String(file))))
    .filter(file => file.endsWith('.ts') && !file.endsWith(CODES))
    .map(file => readFileSync(file, 'utf8'))
}

function codesIn(texts: readonly string[]): Set<string> {
  const found = new Set<string>()
  for (const text of texts) {
    for (const [code] of text.matchAll(/HALT_[EW]_[A-Z\d_]*[A-Z\d]/g)) found.add(code)
    // The Redis store composes its codes from the kinds of its errors.
    for (const [, kind] of text.matchAll(
      /\[\s*'(?:timeout|unavailable|full|misconfigured|script)',\s*'([A-Z]+)'/g,
    ))
      found.add(`HALT_E_STORE_${kind}`)
  }
  return found
}

function documents(): string[] {
  const at = (folder: string): string[] =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder))
          .filter(name => name.endsWith('.md') && name !== 'CHANGELOG.md')
          .map(name => join(folder, name))
      : []
  const members = ['packages', 'apps'].flatMap(folder =>
    readdirSync(join(root, folder)).map(name => join(folder, name)),
  )
  return ['.', 'docs', 'docs/errors', 'docs/migrate', 'docs/platforms', 'docs/recipes', ...members].flatMap(
    at,
  )
}

/** Texts of the form `[…][name]` without a line that defines the name. Definitions in one line are none. */
function undefinedIn(text: string): string[] {
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').replaceAll(/`[^`\n]*`/g, 'code')
  const defined = new Set([...prose.matchAll(/^\[([^\]]+)\]: \S+$/gm)].map(([, name]) => name))
  const named = [...prose.matchAll(/\][ \n]?\[([^\]]+)\]/g)].map(([, name = '']) => name)
  const oneLine = [...prose.matchAll(/^\[[^\]]+\]: \S+ .*$/gm)].map(([line]) => line)
  return [...named.filter(name => !defined.has(name)), ...oneLine]
}

/** The targets of links that are not URLs, outside of code. */
function linksIn(text: string): string[] {
  return targetsIn(text).filter(target => !/^[a-z]+:/.test(target))
}

/** The targets of links to files of this repository on GitHub, as paths from its root. */
function linksToThisRepository(text: string): string[] {
  const here = /^https:\/\/github\.com\/halt-limits\/halt\/(?:blob|tree)\/main\/(.+?)(?:#readme)?$/
  return targetsIn(text).flatMap(target => here.exec(target)?.slice(1) ?? [])
}

function targetsIn(text: string): string[] {
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').replaceAll(/`[^`\n]*`/g, 'code')
  return [...prose.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(
    ([, inline, defined]) => inline ?? defined ?? '',
  )
}

function leadsSomewhere(link: string, from: string): boolean {
  const [path = '', anchor] = link.split('#')
  const file = path === '' ? from : resolve(dirname(from), path)
  if (!existsSync(file)) return false
  return anchor === undefined || anchorsOf(file).has(anchor)
}

/** The anchors of a file's headings, as GitHub makes them. */
function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading] of readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)) {
    const anchor = githubAnchor(heading as string)
    let unique = anchor
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`
    anchors.add(unique)
  }
  return anchors
}
