import { readSource } from './repository.ts'

/** A link of the contents. */
interface Entry {
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
        // The names of packages keep their small letters.
        text: title === 'Migrate' ? text : titled(text),
        link,
        about: about.includes('](') ? '' : about.replaceAll(/\s+/g, ' '),
      })),
    }
  })
}

/** `RELIABILITY.md` becomes `Reliability`, and `first limit` becomes `First limit`. */
function titled(text: string): string {
  const words = pageLabel(text)
  return words.charAt(0).toUpperCase() + words.slice(1).replaceAll(/\s+/g, ' ')
}

/** The text of a link, for readers who see a page and no file: `RELIABILITY.md` becomes `Reliability`. */
export function pageLabel(text: string): string {
  return /^[A-Z]+\.md$/.test(text) ? text.charAt(0) + text.slice(1, -3).toLowerCase() : text
}
