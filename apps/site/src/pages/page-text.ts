import MarkdownIt, { type Token } from 'markdown-it'

import { githubAnchor } from '../../../../tools/github-anchor.ts'

/** A part of a page, from one heading to the next. */
export interface Section {
  /** Empty for the part above the first heading of second order. */
  readonly anchor: string
  /** The heading; of the first part, the title of the page. */
  readonly heading: string
  /** The prose and the tables, in one line. */
  readonly text: string
  /** The names in the blocks of code. An excerpt does not show them. */
  readonly code: string
}

const markdown = new MarkdownIt({ html: true })

/** The sections of a page, as a reader meets them: without addresses, pictures and marks. */
export function sectionsOf(text: string): readonly Section[] {
  const sections: { anchor: string; heading: string; text: string; code: string }[] = []
  const anchors = new Map<string, number>()
  const tokens = markdown.parse(text.replace(/^---\n[\s\S]*?\n---\n/, ''), {})
  for (const [i, token] of tokens.entries()) {
    const last = sections.at(-1)
    if (token.type === 'heading_open') {
      const heading = plain(tokens[i + 1])
      sections.push({
        anchor: sections.length === 0 ? '' : anchorOf(heading, anchors),
        heading,
        text: '',
        code: '',
      })
    } else if (token.type === 'fence' && last !== undefined) {
      last.code += ` ${namesIn(token.content)}`
    } else if (token.type === 'inline' && tokens[i - 1]?.type !== 'heading_open' && last !== undefined) {
      last.text += separator(tokens[i - 1], last.text) + plain(token)
    }
  }
  return sections
}

function anchorOf(heading: string, taken: Map<string, number>): string {
  const anchor = githubAnchor(heading)
  const times = taken.get(anchor) ?? 0
  taken.set(anchor, times + 1)
  return times === 0 ? anchor : `${anchor}-${times}`
}

/** Cells of a row are parted by dots, other blocks by a space. */
function separator(before: Token | undefined, text: string): string {
  if (text === '') return ''
  return before?.type === 'td_open' || before?.type === 'th_open' ? ' · ' : ' '
}

function plain(token: Token | undefined): string {
  const parts = (token?.children ?? []).map(({ type, content }) => {
    if (type === 'text' || type === 'code_inline') return content
    return type === 'softbreak' || type === 'hardbreak' ? ' ' : ''
  })
  return parts.join('').replaceAll(/\s+/g, ' ').trim()
}

/** The words of code that a reader may search for: names and values, not the comments, whose words the prose has. */
function namesIn(code: string): string {
  const bare = code.replaceAll(/(?:\/\/|#) .*$/gm, '')
  return [...new Set(bare.match(/[A-Za-z_$][\w$-]{3,}/g))].join(' ')
}
