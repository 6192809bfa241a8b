// @ts-check
import { button, byId, make } from './dom.js'
import { ask, isReplaced, sentenceOf } from './server.js'

/** @typedef {import('../src/acts/acts.ts').ActAnswer} ActAnswer */
/** @typedef {import('../src/acts/act-call.ts').ActCall} ActCall */

/** How long the result of an act stays, in milliseconds. */
const STAYS_MS = 30_000
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

/** Tells what an act did, and offers to take it back. @param {string} says @param {ActCall | undefined} undo */
export function showDone(says, undo) {
  const place = byId('done')
  const back = undo && button('Undo', () => void takeBack(undo))
  place.replaceChildren(
    make('span', '', says),
    ...(back === undefined ? [] : [back]),
    button('Close', hide, 'plain'),
  )
  place.hidden = false
  clearTimeout(timer)
  timer = setTimeout(hide, STAYS_MS)
  byId('act').dispatchEvent(new Event('done'))
}

function hide() {
  byId('done').hidden = true
}

/** @param {ActCall} undo */
async function takeBack(undo) {
  try {
    /** @type {ActAnswer} */
    const answer = await ask('act', { ...undo, reason: 'taken back', confirmed: true })
    showDone(`Taken back: ${answer.says}`, undefined)
  } catch (error) {
    // What somebody else has set meanwhile stays.
    showDone(sentenceOf(error), isReplaced(error) ? undefined : undo)
  }
}
