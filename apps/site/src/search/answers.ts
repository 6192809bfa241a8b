import MiniSearch, { type Options, type SearchOptions, type SearchResult } from 'minisearch'

import { phraseOf, termsIn } from './terms.ts'

/** What a page is. Guides answer first; what compares, measures, or explains one code comes far behind. */
export type Kind = 'guide' | 'background' | 'error'

/** A page as the index takes it. */
export interface Entry {
  readonly id: number
  readonly kind: Kind
  /** The address from the root of the site, without a slash at its start. */
  readonly address: string
  readonly title: string
  /** One sentence. It stands below the title until the excerpt is there. */
  readonly about: string
  /** Words and phrases that people use and the page does not, with commas between them. */
  readonly plain: string
  readonly headings: string
  readonly text: string
}

/** A page that answers a question. */
export interface Answer extends Pick<Entry, 'kind' | 'address' | 'title' | 'about'> {
  /** The terms of the index that were found in the page, for the marks of its excerpt. */
  readonly terms: readonly string[]
}

/** The answers, and whether no page has the words themselves, so that these have similar ones. */
export interface Answers {
  readonly list: readonly Answer[]
  readonly isNear: boolean
}

const WEIGHTS: Readonly<Record<Kind, number>> = { guide: 1, background: 0.3, error: 0.12 }
// The box shows each kind below one heading, so the answers of a kind stand together.
const ORDER: readonly Kind[] = ['guide', 'error', 'background']
const ORDER_OF_CODE: readonly Kind[] = ['error', 'guide', 'background']
const MOST: Readonly<Record<Kind, number>> = { guide: 7, background: 2, error: 4 }
const CODE = /^HALT_[EW]_[A-Z\d_]+$/i

const OPTIONS: Options<Entry> = {
  fields: ['plain', 'title', 'headings', 'text'],
  storeFields: ['kind', 'address', 'title', 'about'],
  tokenize: (text, field) =>
    field === 'plain' || field === 'title' ? text.split(',').flatMap(withPhrase) : termsIn(text),
  processTerm: term => term,
}

const SEARCH: SearchOptions = {
  tokenize: withPhrase,
  boost: { plain: 8, title: 4, headings: 2, text: 1 },
  boostDocument: (_id, _term, stored) => WEIGHTS[stored?.['kind'] as Kind],
  // Long pages say many words once.
  bm25: { k: 1.2, b: 0.4, d: 0.2 },
  weights: { prefix: 0.3, fuzzy: 0.2 },
}

function withPhrase(text: string): string[] {
  const terms = termsIn(text)
  return [...terms, ...phraseOf(terms)]
}

/** The index as the site stores it. */
export function indexOf(entries: readonly Entry[]): string {
  const index = new MiniSearch<Entry>(OPTIONS)
  index.addAll(entries)
  return JSON.stringify(index)
}

/** Finds answers in an index that `indexOf` wrote. */
export class AnswerFinder {
  readonly #index: MiniSearch<Entry>

  constructor(json: string) {
    this.#index = MiniSearch.loadJSON<Entry>(json, OPTIONS)
  }

  /** The answers to a question, the best first. Guides stand before other kinds; an exact code stands before all. */
  find(question: string): Answers {
    const exact = this.#search(question, {})
    if (exact.length > 0) return { list: arranged(exact, question), isNear: false }
    // A typing mistake. Short words are too near to each other: `block` would find `clock`.
    const near = this.#search(question, {
      fuzzy: term => (term.length > 5 ? 0.25 : term.length > 4 ? 1 : false),
    })
    return { list: arranged(near, question), isNear: near.length > 0 }
  }

  #search(question: string, options: SearchOptions): SearchResult[] {
    const last = termsIn(question).length - 1
    return this.#index.search(question, {
      ...SEARCH,
      // The last word may not be typed to its end.
      prefix: (term, i) => i === last && term.length > 2,
      ...options,
    })
  }
}

function arranged(found: readonly SearchResult[], question: string): Answer[] {
  const asked = question.trim().toUpperCase()
  const isCode = CODE.test(asked)
  const best = found[0]?.score ?? 0
  const answers = (isCode ? ORDER_OF_CODE : ORDER).flatMap(kind =>
    found
      .filter(result => result['kind'] === kind && (kind !== 'guide' || result.score > best / 12))
      .slice(0, MOST[kind])
      .map(result => answerOf(result)),
  )
  if (!isCode) return answers
  return answers.toSorted((a, b) => Number(b.title === asked) - Number(a.title === asked))
}

function answerOf(result: SearchResult): Answer {
  const { kind, address, title, about } = result as SearchResult & Entry
  return { kind, address, title, about, terms: result.terms }
}
