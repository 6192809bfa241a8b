// Random histories of callers that wait in one line while something changes, judged by a book that shares no code with the line.
import { afterAll, beforeAll, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { chosenKinds, hasOperators, playHistories, withoutServer } from './histories.ts'
import { loadCore, unloadCore } from './virtual-core.ts'

beforeAll(async () => void (await loadCore()))
afterAll(unloadCore)

/** The histories of each kind. The full form plays fifty times as many as these. */
const [direct, several] = isFull ? [4, 12] : [2, 5]
const kinds = chosenKinds.filter(kind => !hasOperators(kind))

for (const kind of kinds.filter(withoutServer))
  it(`the line of a process that holds its store itself holds while ${kind.name}`, () =>
    playHistories(kind, { isDirect: true, runs: direct }))

for (const kind of kinds)
  it(`the line of one to four processes holds while ${kind.name}`, () =>
    playHistories(kind, { runs: several }))
