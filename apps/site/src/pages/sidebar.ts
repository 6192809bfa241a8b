import { posix } from 'node:path'

import { contents } from './contents.ts'
import { PEERS } from './compare.ts'
import { ROUTES } from './routes.ts'

/** A part of the sidebar, as VitePress takes it. */
interface SidebarPart {
  text: string
  items: { text: string; link: string }[]
}

/** The sidebar: the parts of docs/README.md, and the comparisons. */
export function sidebar(): SidebarPart[] {
  const parts = contents().map(({ title, entries }) => ({
    text: title,
    items: entries.flatMap(({ text, link }) => {
      const [path = '', anchor] = link.split('#')
      const route = ROUTES.get(posix.join('docs', path))
      if (route === undefined) return []
      return [
        { text, link: `/${route.replace(/(^|\/)index$/, '$1')}${anchor === undefined ? '' : `#${anchor}`}` },
      ]
    }),
  }))
  const compare = PEERS.map(({ name, guide }) => ({ text: name, link: `/compare/${guide}` }))
  return [
    ...parts,
    { text: 'Compare', items: compare },
    { text: 'API', items: [{ text: 'Every export', link: '/api/' }] },
  ]
}
