// Parts of a suite of @halt/conformance, which the short form of the tests plays where another combination plays all of it.
import { afterAll, describe, expect, it } from 'vitest'

import { isFull } from './full.ts'

/** The functions of Vitest that a suite calls. */
export const whole = { describe, expect, it }

/** In the short form those parts of a suite whose titles begin so, in the full form all. */
export function only(...starts: string[]): typeof whole {
  return choosing(starts, isChosen => isChosen)
}

/** In the short form all parts of a suite but those whose titles begin so, in the full form all. */
export function allBut(...starts: string[]): typeof whole {
  return choosing(starts, isChosen => !isChosen)
}

/** A part that is renamed must not be left out, or taken in, without a word. */
function choosing(starts: readonly string[], isPlayed: (isChosen: boolean) => boolean): typeof whole {
  if (isFull) return whole
  const met = new Set<string>()
  afterAll(() => expect([...met].sort()).toEqual([...starts].sort()))
  // The suite itself is at 0, and its parts are at 1.
  let level = 0
  const some = (title: string, body: () => void): void => {
    const own = level
    const found = own === 1 ? starts.filter(start => title.startsWith(start)) : []
    for (const start of found) met.add(start)
    if (own === 1 && !isPlayed(found.length > 0)) return
    // oxlint-disable-next-line vitest/valid-title -- it is the suite's
    describe(title, () => {
      level = own + 1
      body()
      level = own
    })
  }
  return { ...whole, describe: some as typeof describe }
}
