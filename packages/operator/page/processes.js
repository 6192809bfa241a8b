// @ts-check
import { badge, fill, headOf, make } from './dom.js'
import { milliseconds, span } from './words.js'

/** @typedef {import('../src/watch/feed.ts').Feed} Feed */

/** Shows the processes, and what decides in each. @param {Feed} feed */
export function showProcesses({ processes }) {
  const heads = ['process', 'decides', 'median', 'p95', 'errors', 'wait']
  const rows = processes.map(({ name, isOwn, store, waiting, ahead }) => [
    `${name}${isOwn ? ' (this)' : ''}`,
    decidesOf(store),
    milliseconds(store.median),
    milliseconds(store.p95),
    `${store.errors}${store.lastError ? `, ${store.lastError.failure}` : ''}`,
    String(waiting),
    ahead === 0 ? '' : `its clock is ${span(Math.abs(ahead))} ${ahead > 0 ? 'fast' : 'slow'}`,
  ])
  fill(
    'processes',
    rows,
    () => [headOf(heads), make('tbody', '', ...rows.map(cells => processRow(cells)))],
    '',
  )
}

/** What decides in a process. @param {Feed['processes'][number]['store']} store */
function decidesOf({ decides, kind, lastError }) {
  if (decides === 'store') return kind
  if (decides === 'unknown')
    return lastError ? `not known since ${kind} failed` : `no request yet, on ${kind}`
  return `${decides}, not ${kind}`
}

/** @param {string[]} cells */
function processRow([name = '', ...cells]) {
  const clock = cells.pop() ?? ''
  const head = make('th', '', name, clock === '' ? undefined : badge(clock, 'bad'))
  head.scope = 'row'
  return make('tr', '', head, ...cells.map(cell => make('td', '', cell)))
}
