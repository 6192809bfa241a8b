// Random histories of callers that wait while operators act, judged by the books of core, which share no code with the line.
import { InMemoryStore } from '@halt/store-memory'
import { afterAll, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { chosenKinds, hasOperators, playHistories, withoutServer } from '../../../core/test/line/histories.ts'
import { inVirtualTime } from '../../../core/test/line/rows.ts'
import { changingClasses } from '../../../core/test/line/several/setups.ts'
import * as several from '../../../core/test/line/several/stories.ts'
import { withControl } from './virtual-control.ts'

inVirtualTime(withControl)
afterAll(several.printSurvey)

/** The store itself, and not a client of it. It can lose its counters. */
const server = (clock: () => number) => {
  const store = new InMemoryStore({ clock })
  return { store, skewMs: 0, lose: () => store.clear() }
}

/** The histories of each kind. The full form plays fifty times as many as these. */
const [direct, fair, over] = isFull ? [4, 5, 12] : [2, 2, 5]
const kinds = chosenKinds.filter(hasOperators)

for (const kind of kinds.filter(withoutServer)) {
  it(`the line of a process that holds its store itself holds while ${kind.name}`, () =>
    playHistories(kind, { isDirect: true, runs: direct }))

  it(`the line of a store in memory holds while ${kind.name}`, () =>
    playHistories(kind, { server, isDirect: true, runs: direct }))

  it(`tenants of a process that holds its store itself have their turns while ${kind.name}`, () =>
    playHistories(kind, { isDirect: true, isFair: true, runs: fair }))

  it(`tenants of one to four processes have their turns while ${kind.name}`, () =>
    playHistories(kind, { isFair: true, runs: fair }))
}

for (const kind of kinds)
  it(`the line of one to four processes holds while ${kind.name}`, () => playHistories(kind, { runs: over }))

for (const kind of several.chosen(changingClasses()).filter(several.hasOperators))
  it(`callers of several policies go on within every bound while ${kind.name}`, () =>
    several.playStories(kind, 1))
