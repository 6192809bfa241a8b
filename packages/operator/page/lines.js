// @ts-check
import { bar, byId, fill, make, row } from './dom.js'
import { clientLink } from './client-link.js'
import { count, span } from './words.js'

/** @typedef {import('../src/watch/feed.ts').Feed} Feed */

/** Shows who waits and how long, if anybody does. @param {Feed} feed */
export function showLines({ lines, now }) {
  const rows = lines.map(({ policy, key, callers, since, waitedMs }) => ({
    policy,
    key,
    callers,
    wait:
      waitedMs === undefined
        ? `for ${span(now - since)}`
        : `the last ${waitedMs < 1000 ? `${waitedMs} ms` : span(waitedMs)}`,
  }))
  byId('lines-card').hidden = rows.length === 0
  const most = rows[0]?.callers ?? 1
  fill(
    'lines',
    rows,
    () =>
      rows.map(({ policy, key, callers, wait }) =>
        make(
          'li',
          '',
          row(clientLink(key), make('span', 'faint', policy), `${count(callers, 'waits', 'wait')}, ${wait}`),
          bar(callers / most, false),
        ),
      ),
    '',
  )
}
