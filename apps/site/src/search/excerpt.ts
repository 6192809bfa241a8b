import type { Section } from '../pages/page-text.ts'
import { termsIn, wordsIn } from './terms.ts'

/** A section as the site stores it for excerpts. */
export type StoredSection = readonly [anchor: string, heading: string, text: string, plain: string]

/** The place of a page that answers best, and a piece of its text. */
export interface Excerpt {
  readonly anchor: string
  readonly heading: string
  /** The piece, cut where a found word begins and ends. */
  readonly parts: readonly { readonly text: string; readonly isFound: boolean }[]
}

/** Letters of an excerpt: two lines of the box. */
const LENGTH = 170

/** The parts of a page that its excerpt is cut of. `plain` gives the plain words of an anchor. */
export function storedSections(
  sections: readonly Section[],
  plain: (anchor: string) => string,
): StoredSection[] {
  return sections.map(({ anchor, heading, text }) => [anchor, heading, text, plain(anchor)])
}

/** The excerpt of the section that has most of the terms. Of equals the first one wins, so the page opens at its start. */
export function excerptOf(sections: readonly StoredSection[], terms: readonly string[]): Excerpt | undefined {
  const asked = new Set(terms)
  let [best, most] = [sections[0], -1]
  for (const section of sections) {
    const points = pointsOf(section, asked)
    if (points > most && section[2] !== '') [best, most] = [section, points]
  }
  if (best === undefined) return undefined
  const [anchor, heading, text] = best
  return { anchor, heading, parts: pieceOf(text, asked) }
}

function pointsOf([anchor, heading, text, plain]: StoredSection, asked: ReadonlySet<string>): number {
  const has = (words: string): number => new Set(termsIn(words).filter(term => asked.has(term))).size
  // The title says nothing about a section: all sections are below it.
  const inHeading = anchor === '' ? 0 : has(heading)
  return 4 * has(plain) + 3 * inHeading + has(text)
}

/** The piece of a text that has most of the different terms, with its words marked. */
function pieceOf(text: string, asked: ReadonlySet<string>): Excerpt['parts'] {
  const found = wordsIn(text).filter(({ term }) => asked.has(term))
  let [start, most] = [0, 0]
  for (const { from } of found) {
    const within = found.filter(each => each.from >= from && each.to <= from + LENGTH - 40)
    const different = new Set(within.map(({ term }) => term)).size
    if (different > most) [start, most] = [from, different]
  }
  const from = startOfPiece(text, start)
  const cut = text.lastIndexOf(' ', from + LENGTH)
  const to = from + LENGTH >= text.length || cut <= from ? text.length : cut
  const parts: { text: string; isFound: boolean }[] = []
  let at = from
  const add = (end: number, isFound: boolean): void => {
    if (end > at) parts.push({ text: text.slice(at, end), isFound })
    at = Math.max(at, end)
  }
  if (from > 0) parts.push({ text: '… ', isFound: false })
  for (const word of found) {
    if (word.from < at || word.to > to) continue
    add(word.from, false)
    add(word.to, true)
  }
  add(to, false)
  if (to < text.length) parts.push({ text: ' …', isFound: false })
  return parts
}

/** The start of the sentence of a word, or of a word a little before it. */
function startOfPiece(text: string, at: number): number {
  const before = text.slice(0, at)
  const sentence = Math.max(before.lastIndexOf('. '), before.lastIndexOf(': ')) + 2
  if (sentence >= 2 && at - sentence < 60) return sentence
  return at < 60 ? 0 : before.lastIndexOf(' ', at - 40) + 1
}
