// @ts-check
import { fill, text } from './dom.js'
import { actRow, entryRow } from './control-entry.js'

/** @typedef {import('../src/desk/held.ts').Standing} Standing */

const OBEYED = 'The store does not answer. These are the entries that one process obeys.'

/** Shows what holds, and what operators did. @param {Standing} standing */
export function showStanding({ entries, history, problem }) {
  text('force-count', String(entries.length)).hidden = entries.length === 0
  const says = problem === undefined ? undefined : `${problem.message} ${problem.fix} (${problem.code})`
  const over = problem?.code.startsWith('HALT_E_STORE') ? OBEYED : (says ?? '')
  text('force-problem', over).hidden = over === '' || entries.length === 0
  fill(
    'entries',
    [entries, says],
    () => entries.toReversed().map(entry => entryRow(entry)),
    says ?? 'Nothing holds: the limits are those of the code.',
  )
  fill('acts', [history, says], () => history.map(act => actRow(act)), says ?? 'Nobody has acted.')
}
