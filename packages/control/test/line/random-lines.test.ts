// Random histories of callers that wait while operators act, judged by the books of core, which share no code with the line.
import { InMemoryStore } from '@halt/store-memory'
import { afterAll, it } from 'vitest'

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

const kinds = chosenKinds.filter(hasOperators)

for (const kind of kinds.filter(withoutServer)) {
  it(`the line of a process that holds its store itself holds while ${kind.name}`, () =>
    playHistories(kind, { isDirect: true, runs: 4 }))

  it(`the line of a store in memory holds while ${kind.name}`, () =>
    playHistories(kind, { server, isDirect: true, runs: 4 }))

  it(`tenants of a process that holds its store itself have their turns while ${kind.name}`, () =>
    playHistories(kind, { isDirect: true, isFair: true, runs: 5 }))

  it(`tenants of one to four processes have their turns while ${kind.name}`, () =>
    playHistories(kind, { isFair: true, runs: 5 }))
}

for (const kind of kinds)
  it(`the line of one to four processes holds while ${kind.name}`, () => playHistories(kind))

for (const kind of several.chosen(changingClasses()).filter(several.hasOperators))
  it(`callers of several policies go on within every bound while ${kind.name}`, () =>
    several.playStories(kind, 1))
