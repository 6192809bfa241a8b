import { posix } from 'node:path'

import { githubAnchor } from '../../../../tools/github-anchor.ts'
import { readSource } from './repository.ts'

/** The code of one framework. */
interface Tab {
  readonly framework: string
  /** Blocks of code, as Markdown. */
  readonly content: string
}

/** Writes tabs. On the site they are tabs; in a Markdown twin they are headings. */
export type TabWriter = (tabs: readonly Tab[]) => string

const MARKED = /<!-- frameworks -->\n([\s\S]*?)<!-- \/frameworks -->/g
const LINK = /\[([^\]]+)\]\(([^)\s]+)\)/g

/**
 * Replaces what a page marks as one thing in several frameworks by tabs. It marks links to sections of the frameworks' READMEs,
 * whose code then stands in one place, where tests run it.
 */
export function withTabs(text: string, from: string, write: TabWriter): string {
  return text.replaceAll(MARKED, (_all, marked: string) => write(linkedFrom(marked, from)))
}

function linkedFrom(links: string, from: string): Tab[] {
  return [...links.matchAll(LINK)].map(([, framework = '', link = '']) => {
    const [path = '', anchor] = link.split('#')
    return { framework, content: codeOf(posix.join(posix.dirname(from), path), anchor) }
  })
}

/** Tabs of the site. All tabs of a page and of later pages follow the choice of a framework. */
export const siteTabs: TabWriter = tabs =>
  [
    ':::tabs key:framework',
    ...tabs.flatMap(({ framework, content }) => [`== ${framework}`, '', content, '']),
    ':::',
  ].join('\n')

/** The same as plain Markdown. */
export const plainTabs: TabWriter = tabs =>
  tabs.map(({ framework, content }) => `**${framework}**\n\n${content}`).join('\n\n')

/** The blocks of code of a section, without those of its subsections. Without an anchor: how to install the package, and the first one. */
function codeOf(path: string, anchor: string | undefined): string {
  const sections = readSource(path).split(/^(?=#+ )/m)
  const isNamed = (section: string): boolean =>
    githubAnchor(section.split('\n')[0]?.replace(/^#+ /, '') ?? '') === anchor
  const section = anchor === undefined ? sections[0] : sections.find(isNamed)
  const blocks = [...(section ?? '').matchAll(/^```(?:js|ts)\n[\s\S]*?^```/gm)].map(([block]) => block)
  if (blocks.length === 0) throw new Error(`${path}#${anchor ?? ''} has no code for a tab.`)
  if (anchor !== undefined) return blocks.join('\n\n')
  const install = /^```sh\n[\s\S]*?^```/m.exec(section ?? '')?.[0]
  return [install, blocks[0]].filter(block => block !== undefined).join('\n\n')
}
