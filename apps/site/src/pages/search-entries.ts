import type { SourcePage } from './source-pages.ts'
import type { Entry, Kind } from '../search/answers.ts'
import { type StoredSection, storedSections } from '../search/excerpt.ts'
import { type Section, sectionsOf } from './page-text.ts'
import { PLAIN_WORDS } from './plain-words.ts'

/** What the site stores for its search. */
export interface SearchData {
  readonly entries: readonly Entry[]
  /** The texts of the guides, of which excerpts are cut, by their route. */
  readonly texts: ReadonlyMap<string, readonly StoredSection[]>
}

/** Lists of links. They would answer everything, and explain nothing. */
const LISTS = new Set(['index', 'contents', 'errors/index', 'measured/faults-results'])

/** The data of the search over all pages but those of the API reference. */
export function searchData(pages: readonly SourcePage[]): SearchData {
  const texts = new Map<string, readonly StoredSection[]>()
  const entries = pages
    .filter(({ route }) => !LISTS.has(route))
    .map(({ route, text }, id) => {
      const sections = sectionsOf(text)
      const kind = kindOf(route)
      if (kind === 'guide')
        texts.set(
          route,
          storedSections(sections, anchor => plainWords(route, anchor)),
        )
      return entryOf(id, route, kind, sections)
    })
  return { entries, texts }
}

/** The plain words of a page, or of one of its sections. */
function plainWords(route: string, anchor: string): string {
  return PLAIN_WORDS[anchor === '' ? route : `${route}#${anchor}`] ?? ''
}

function kindOf(route: string): Kind {
  if (route.startsWith('errors/')) return 'error'
  return /^(?:compare|measured)\/|^(?:architecture|contributing|codeql|dependencies|demo|stability)$|^packages\/conformance$/.test(
    route,
  )
    ? 'background'
    : 'guide'
}

function entryOf(id: number, route: string, kind: Kind, sections: readonly Section[]): Entry {
  const [first] = sections
  const all = sections.map(({ text, code }) => `${text} ${code}`).join(' ')
  return {
    id,
    kind,
    address: route,
    title: first?.heading ?? route,
    about: firstSentence(sections),
    plain: [...new Set(sections.map(({ anchor }) => plainWords(route, anchor)))].join(', '),
    // A code is one word. Its parts say what the error is about, while all errors have the same headings.
    headings: kind === 'error' ? route.replaceAll('_', ' ') : headingsOf(sections),
    // The index is loaded whole. Of pages that seldom answer, their titles and headings are enough.
    text: kind === 'guide' ? all : firstSentence(sections),
  }
}

function headingsOf(sections: readonly Section[]): string {
  return sections
    .slice(1)
    .map(({ heading }) => heading)
    .join(', ')
}

/** The first sentence of a page, at most two lines of the box. */
function firstSentence(sections: readonly Section[]): string {
  const text = sections.find(section => section.text !== '')?.text ?? ''
  const sentence = /^.+?\.(?= |$)/.exec(text)?.[0] ?? text
  return sentence.length <= 160 ? sentence : `${sentence.slice(0, sentence.lastIndexOf(' ', 158))} …`
}
