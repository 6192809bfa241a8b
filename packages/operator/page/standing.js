// @ts-check
import { fill, text } from './dom.js'
import { actRow, entryRow } from './entry.js'

/** @typedef {import('../src/desk/desk.ts').Standing} Standing */

/** Shows what holds, and what operators did. @param {Standing} standing */
export function showStanding({ entries, history, problem }) {
  text('force-count', String(entries.length)).hidden = entries.length === 0
  const says = problem === undefined ? undefined : `${problem.message} ${problem.fix} (${problem.code})`
  // The minute is part of it, because rows tell how long an entry holds.
  const minute = Math.floor(Date.now() / 60_000)
  fill(
    'entries',
    [entries, says, minute],
    () => entries.toReversed().map(entry => entryRow(entry)),
    says ?? 'Nothing holds: the limits are those of the code.',
  )
  fill('acts', [history, says, minute], () => history.map(act => actRow(act)), says ?? 'Nobody has acted.')
}
