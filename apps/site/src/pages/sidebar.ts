import { posix } from 'node:path'

import { contents } from './contents.ts'
import { PEERS } from './compare.ts'
import { readSource } from './repository.ts'
import { ROUTES } from './routes.ts'

/** A part of the sidebar, as VitePress takes it. */
interface SidebarPart {
  text: string
  items: { text: string; link: string }[]
}

/** The sidebar: the parts of docs/README.md, and the comparisons. */
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
  const compare = PEERS.map(({ name, guide }) => ({ text: name, link: `/compare/${guide}` }))
  return [
    ...parts,
    { text: 'Compare', items: [{ text: 'All of them', link: '/comparison' }, ...compare] },
    { text: 'API', items: [{ text: 'Every export', link: '/api/' }] },
  ]
}

/** The title of the page at an address of the site. */
function titleAt(link: string): string | undefined {
  const route = link.slice(1).replace(/#.*/, '')
  const [path] = [...ROUTES].find(([, each]) => each === route) ?? []
  return path === undefined ? undefined : /^# (.+)$/m.exec(readSource(path))?.[1]
}
