// Random histories of callers whose tenants share a bucket while something changes: the limit holds, and nobody is left standing.
import { afterAll, beforeAll, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { chosenKinds, hasOperators, playHistories, withoutServer } from '../line/histories.ts'
import { loadCore, unloadCore } from '../line/virtual-core.ts'

beforeAll(async () => void (await loadCore()))
afterAll(unloadCore)

const runs = isFull ? 5 : 2
// A bucket without a line refills no more until a clock that was set back has caught up.
const kinds = chosenKinds.filter(kind => !/fails over/.test(kind.name) && !hasOperators(kind))

for (const kind of kinds.filter(withoutServer))
  it(`tenants of a process that holds its store itself have their turns while ${kind.name}`, () =>
    playHistories(kind, { isDirect: true, isFair: true, runs }))

for (const kind of kinds)
  it(`tenants of one to four processes have their turns while ${kind.name}`, () =>
    playHistories(kind, { isFair: true, runs }))
