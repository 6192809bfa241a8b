import { posix } from 'node:path'

import { contents } from './contents.ts'
import { PEERS } from './compare.ts'
import { readSource } from './repository.ts'
import { ROUTES } from './routes.ts'

/** A part of the sidebar, as VitePress takes it. */
interface SidebarPart {
  text: string
  /** The reader opens it. VitePress opens the part of the page that it shows. Absent: it has no such button. */
  collapsed?: true
  items: { text: string; link: string }[]
}

/** The pages that most applications need, in the order in which they need them. */
const NEEDED: readonly string[] = [
  '/start',
  '/frameworks',
  '/runbook',
  '/algorithms',
  '/choosing-a-number',
  '/proxies',
  '/which-store',
  '/recipes/per-plan-limits',
  '/recipes/login-protection',
  '/testing',
]

/** The comparison with all, which begins the part of comparisons. */
const COMPARISON = '/comparison'

/** The sidebar: ten pages, then the other pages in the parts of docs/README.md, which are closed, and the comparisons. */
export function sidebar(): SidebarPart[] {
  const links = contents().flatMap(({ entries }) => entries.map(({ link }) => link))
  const parts = contents().map(({ title, entries }) => ({
    text: title,
    items: entries.flatMap(({ text, link }) => {
      const [path = '', anchor] = link.split('#')
      const route = ROUTES.get(posix.join('docs', path))
      if (route === undefined) return []
      // The pager finds the page that a reader has open by its address without anchor. So the only entry of a page has none.
      const isOnly = links.filter(each => each.split('#')[0] === path).length === 1
      const hash = anchor === undefined || isOnly ? '' : `#${anchor}`
      return [{ text, link: `/${route.replace(/(^|\/)index$/, '$1')}${hash}` }]
    }),
  }))
  const texts = parts.flatMap(({ items }) => items.map(({ text }) => text))
  // "Options" says nothing where two entries have it: their pages' titles do.
  for (const { items } of parts)
    for (const item of items)
      if (texts.filter(text => text === item.text).length > 1) item.text = titleAt(item.link) ?? item.text
  const all = parts.flatMap(({ items }) => items)
  const needed = NEEDED.map(link => {
    const item = all.find(each => each.link === link)
    if (item === undefined)
      throw new Error(`docs/README.md does not list ${link}, which the sidebar begins with.`)
    return item
  })
  const others = parts.map(({ text, items }) => ({
    text,
    collapsed: true as const,
    items: items.filter(item => !needed.includes(item) && item.link !== COMPARISON),
  }))
  const compare = PEERS.map(({ name, guide }) => ({ text: name, link: `/compare/${guide}` }))
  return [
    { text: 'Most needed', items: needed },
    ...others,
    { text: 'Compare', collapsed: true, items: [{ text: 'All of them', link: COMPARISON }, ...compare] },
    { text: 'API', collapsed: true, items: [{ text: 'Every export', link: '/api/' }] },
  ]
}

/** The title of the page at an address of the site. */
function titleAt(link: string): string | undefined {
  const route = link.slice(1).replace(/#.*/, '')
  const [path] = [...ROUTES].find(([, each]) => each === route) ?? []
  return path === undefined ? undefined : /^# (.+)$/m.exec(readSource(path))?.[1]
}
