import { posix } from 'node:path'

import { contents } from './contents.ts'
import { PEERS } from './compare.ts'
import { ROUTES } from './routes.ts'

/** A part of the sidebar, as VitePress takes it. */
interface SidebarPart {
  text: string
  collapsed: boolean
  items: { text: string; link: string }[]
}

/** The sidebar: the parts of docs/README.md, and the comparisons. */
export function sidebar(): SidebarPart[] {
  const parts = contents().map(({ title, entries }) => ({
    text: title,
    collapsed: !OPEN.has(title),
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
    { text: 'Compare', collapsed: true, items: compare },
    { text: 'API', collapsed: false, items: [{ text: 'Every export', link: '/api/' }] },
  ]
}

/** The parts that are open at first. */
const OPEN: ReadonlySet<string> = new Set(['Start', 'Understand', 'Set up', 'Run'])
