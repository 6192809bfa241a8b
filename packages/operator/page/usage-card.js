// @ts-check
import { bar, button, make, row } from './dom.js'
import { instant, whole } from './words.js'

/** @typedef {import('../src/desk/desk.ts').Finding} Finding */

/** How many users are listed. */
const ROWS = 20

/** Shows the units by user of a limit that several users share. @param {Finding['usage'][number]} usage */
export function usageCard({ policy, since, until, users, others }) {
  const listed = users.slice(0, ROWS)
  const rest = users.slice(ROWS).reduce((sum, { units }) => sum + units, others)
  const most = Math.max(1, rest, ...listed.map(({ units }) => units))
  const link = (/** @type {string} */ key) =>
    button(key, () => dispatchEvent(new CustomEvent('find-key', { detail: key })), 'key')
  return make(
    'div',
    'card more usage',
    make('h3', '', 'Who used ', policy),
    make(
      'ol',
      'rows last',
      ...listed.map(({ key, units }) =>
        make('li', '', row(link(key), whole(units)), bar(units / most, false)),
      ),
      ...(rest > 0
        ? [make('li', '', row('without a user, or of others', whole(rest)), bar(rest / most, false))]
        : []),
    ),
    make(
      'p',
      'faint',
      `Units that requests took when they were admitted, since ${instant(since * 1000)}, until ${instant(until * 1000)}.`,
    ),
  )
}
