import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { homeTwin } from './home-twin.ts'
import { withInstallTabs } from './install-tabs.ts'
import { withLinks } from './links.ts'
import { llmsFull, llmsIndex } from './llms.ts'
import { ROOT, SITE } from './repository.ts'
import { withThemes } from './pictures.ts'
import { searchFiles } from './search-files.ts'
import { type SourcePage, sourcePages } from './source-pages.ts'
import { plainTabs, siteTabs, withTabs } from './tabs.ts'

/** The folder that VitePress reads. */
export const PAGES: string = fileURLToPath(new URL('../../.pages', import.meta.url))

/**
 * Writes the pages of the site: the Markdown of the repository with its links pointed to the site, the pages that are made of others,
 * the plain twin of each page, llms.txt, the files of the search, and the pictures. The API reference stays as it is.
 */
export function collect(): void {
  rmSync(join(PAGES, 'public'), { recursive: true, force: true })
  const pictures = new Set<string>()
  const picture = (path: string): string => {
    pictures.add(path)
    return `/${path}`
  }
  const pages = sourcePages()
  const twins = pages.map(page => ({ ...page, text: twinOf(page) }))
  for (const page of pages) write(`${page.route}.md`, siteText(page, picture))
  for (const { route, text } of twins) write(`public/${route}.md`, text)
  write('public/llms.txt', llmsIndex(pages))
  write('public/llms-full.txt', llmsFull(twins))
  for (const [path, text] of searchFiles(pages, join(PAGES, 'api'))) write(`public/${path}`, text)
  for (const path of pictures) cpSync(join(ROOT, path), join(PAGES, 'public', path))
  cpSync(join(ROOT, 'packages/operator/page/icon.svg'), join(PAGES, 'public/icon.svg'))
  cpSync(join(ROOT, 'docs/images/card.png'), join(PAGES, 'public/card.png'))
}

/** A page as VitePress reads it. `picture` gives the address of a picture. */
export function siteText({ from, text }: SourcePage, picture: (path: string) => string): string {
  const link = (route: string, anchor: string): string => `/${route}${anchor}`
  // Tabs of package managers within tabs of frameworks would be too many.
  const shown = withTabs(withInstallTabs(withComponents(text)), from, siteTabs)
  return withThemes(withLinks(shown, from, link, picture))
}

/** Puts the components of the site in the places that a page marks for them. */
function withComponents(text: string): string {
  const shown = text.replace(FINDER, '<ErrorFinder />')
  return PLAYGROUND.test(shown) ? WIDE + shown.replace(PLAYGROUND, '<Playground />') : shown
}

/** A page as plain Markdown with whole addresses, for tools that read no HTML. */
export function twinOf({ route, from, text }: SourcePage): string {
  const link = (route: string, anchor: string): string => `${SITE}/${route}.md${anchor}`
  const read = text.replace(
    FINDER,
    `The page of a code is \`${SITE}/errors/<code>.md\`, with the code in capitals.`,
  )
  const plain = route === 'index' ? homeTwin(read) : withTabs(read, from, plainTabs)
  return withLinks(plain, from, link, path => `${SITE}/${path}`)
}

/** The place of the box that finds the codes in a log. */
const FINDER = '<!-- error finder -->'

/** The picture of the playground, in whose place the site has the playground itself. */
const PLAYGROUND = /<!-- playground -->[\s\S]*<!-- \/playground -->/

/** The head of a page without the list of its headings beside it. */
const WIDE = '---\naside: false\n---\n\n'

function write(path: string, text: string): void {
  const file = join(PAGES, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** Puts the Markdown of the API reference, which typedoc has written, beside its pages. */
export function addTwinsOfApi(folder: string): void {
  cpSync(join(PAGES, 'api'), join(folder, 'api'), { recursive: true })
}
