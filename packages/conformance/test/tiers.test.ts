// The tier of each package and wing: docs/stability.md lists it, and the page of the package or wing says it under its title.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

const [, section = ''] = /## Tiers\n([^]*?)\n## /.exec(read('docs/stability.md')) ?? []

/** The pages that the list of a tier links. */
const pagesOf = (tier: 'Stable' | 'Preview'): string[] => {
  const [, list = ''] = new RegExp(`- \\*\\*${tier}\\*\\*:([^]*?)(?=\\n- \\*\\*|\\n\\n)`).exec(section) ?? []
  return [...list.matchAll(/\]\(([^)#]+)\)/g)].map(
    ([, page = '']) => new URL(page, new URL('docs/', root)).href,
  )
}
const short = (page: string): string => page.slice(root.href.length)
const stable = pagesOf('Stable').map(short)
const preview = pagesOf('Preview').map(short)

const published = readdirSync(new URL('packages/', root)).filter(folder => {
  const manifest = `packages/${folder}/package.json`
  return existsSync(new URL(manifest, root)) && !(JSON.parse(read(manifest)) as { private?: true }).private
})

describe('the tiers', () => {
  it('each published package has one tier', () => {
    const packages = [...stable, ...preview].filter(page => page.startsWith('packages/'))
    expect(packages.toSorted()).toEqual(published.map(folder => `packages/${folder}/README.md`).toSorted())
  })

  it.each([...stable.map(page => [page, 'stable']), ...preview.map(page => [page, 'preview'])])(
    '%s says under its title that it is %s',
    (page = '', tier) => {
      const [title, empty, line] = read(page).split('\n')
      expect(title).toMatch(/^# /)
      expect(empty).toBe('')
      // The README of a package is read at the registry too, so its link is whole.
      const start = page.startsWith('packages/') ? 'https://github.com/halt-limits/halt/blob/main/docs/' : ''
      expect(line).toBe(`Tier: [${tier}](${start}stability.md#tiers).`)
    },
  )

  it('no other page claims a tier', () => {
    const pages = readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.md'))
      .map(name => `docs/${name}`)
    const claimed = pages.filter(page => /^Tier: /m.test(read(page)))
    expect(claimed.toSorted()).toEqual(
      [...stable, ...preview].filter(page => page.startsWith('docs/')).toSorted(),
    )
  })
})
