// @ts-check
import { badge, byId, fill, headOf, make } from './dom.js'
import { milliseconds, span, whole } from './words.js'

/** @typedef {import('../src/watch/feed.ts').Feed} Feed */
/** @typedef {Feed['processes'][number]['shedders'][number]} Shedder */

const HEADS = ['process', 'shedder', 'in flight', 'before the handler', 'inside', 'sheds']
const CAUSES = { loop: 'the event loop is full', inside: 'something behind the handlers is full or slow' }

/** Shows the load shedders of all processes, if there are any. @param {Feed} feed */
export function showShedders({ processes }) {
  const rows = processes.flatMap(({ name, isOwn, shedders }) =>
    shedders.map(shedder => ({ process: `${name}${isOwn ? ' (this)' : ''}`, shedder })),
  )
  byId('shedders-card').hidden = rows.length === 0
  if (rows.length === 0) return
  fill(
    'shedders',
    rows,
    () => [headOf(HEADS), make('tbody', '', ...rows.map(each => shedderRow(each.process, each.shedder)))],
    '',
  )
}

/** Whether a shedder refuses requests now. @param {Shedder} shedder */
export function isRefusing({ mode, sheds }) {
  return mode === 'enforce' && sheds.length > 0
}

/** @param {string} process @param {Shedder} shedder */
function shedderRow(process, shedder) {
  const { name, mode, inFlight, limit, ageMs, insideMs, calmMs } = shedder
  const head = make('th', '', process)
  head.scope = 'row'
  const cells = [
    make('td', '', `${name} `, mode === 'enforce' ? undefined : badge(mode)),
    make('td', '', mode === 'off' ? '–' : `${whole(inFlight)} of ${whole(Math.ceil(limit))}`),
    make('td', '', milliseconds(ageMs)),
    make('td', '', `${milliseconds(insideMs)}, calm ${milliseconds(calmMs)}`),
    make('td', 'why', ...whatOf(shedder)),
  ]
  return make('tr', '', head, ...cells)
}

/** What is shed, since when, and why. @param {Shedder} shedder */
function whatOf({ mode, sheds, cause, sheddingMs, route }) {
  if (mode === 'off') return ['off: all requests pass']
  if (sheds.length === 0) return ['nothing']
  const tiers = `${mode === 'shadow' ? 'would shed ' : ''}${sheds.toReversed().join(' and ')}`
  const since = `for ${span(sheddingMs)}${route === undefined ? '' : `, most on ${route}`}`
  return [badge(tiers, 'bad'), ` ${since}${cause === undefined ? '' : `: ${CAUSES[cause]}`}`]
}
