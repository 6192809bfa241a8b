import { stemmer } from 'stemmer'

/** Words that a question has, and that no page is about. Pages and questions both drop them, so that the index stays small. */
const EMPTY = new Set(
  `a about all also am an and any are as at be because been but by can could did do does for from get had has have how i if in
  into is it its just me my no not of on or our own should so some such than that the their them then there these they this to up us
  use was we were what when where which while who why will with would you your`.split(/\s+/),
)

/** Letters, digits and underscores: a code such as HALT_E_LIMIT is one word, and `retry-after` is two. */
const WORD = /[\p{L}\p{N}_]+/gu

/** A word of a text, and where it stands. */
export interface Found {
  /** The form under which all its endings are found: `blocked`, `blocks` and `blocking` are `block`. */
  readonly term: string
  readonly from: number
  readonly to: number
}

/** The words of a text that one can search for. */
export function wordsIn(text: string): Found[] {
  return [...text.matchAll(WORD)].flatMap(({ 0: word, index }) => {
    const term = termOf(word)
    return term === undefined ? [] : [{ term, from: index, to: index + word.length }]
  })
}

/** The terms of a text, in its order. */
export function termsIn(text: string): string[] {
  return wordsIn(text).map(({ term }) => term)
}

/** One more term for a phrase: it finds a page by these words together, in any order. Nothing for a single word. */
export function phraseOf(terms: readonly string[]): string[] {
  return terms.length > 1 ? [terms.toSorted().join('+')] : []
}

/** The form of a word in the index; undefined for words that say nothing. */
function termOf(word: string): string | undefined {
  const lower = word.toLowerCase()
  if (EMPTY.has(lower)) return undefined
  // Names of code keep their endings: RateLimiter is not RateLimit. A limiter is not a limit, either, and the name of a library.
  const isName = /[a-z][A-Z]/.test(word)
  return /^[a-z]{3,}$/.test(lower) && !isName && lower !== 'limiter' ? stemmer(lower) : lower
}
