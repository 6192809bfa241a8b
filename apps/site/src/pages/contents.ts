import { readSource } from './repository.ts'

/** A link of the contents. */
export interface Entry {
  readonly text: string
  /** As docs/README.md has it. */
  readonly link: string
  /** The words behind it; empty if there are none. */
  readonly about: string
}

/** A part of the contents. */
export interface Part {
  readonly title: string
  readonly entries: readonly Entry[]
}

/** The parts of docs/README.md, which is the one list of pages: the sidebar and llms.txt are made of it. */
export function contents(): readonly Part[] {
  const blocks = readSource('docs/README.md')
    .split(/^(?=\*\*)/m)
    .slice(1)
  return blocks.map(block => {
    const [, title = ''] = /^\*\*(.+?)\*\*/.exec(block) ?? []
    const entries = [...block.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)(?:: ([^\n]+(?:\n  [^\n-][^\n]*)*))?/g)]
    return {
      title,
      entries: entries.map(([, text = '', link = '', about = '']) => ({
        text: text.charAt(0).toUpperCase() + text.slice(1).replaceAll('\n', ' '),
        link,
        about: about.includes('](') ? '' : about.replaceAll(/\s+/g, ' '),
      })),
    }
  })
}
