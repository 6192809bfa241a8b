// @ts-check
import { byId, make, textsIn } from './dom.js'
import { showFinding } from './finding.js'
import { ask, sentenceOf } from './server.js'
import { goTo } from './views.js'
import { whomOf } from './whom.js'

/** @typedef {import('../src/desk/desk.ts').Finding} Finding */
/** @typedef {import('../src/desk/identities.ts').Whom} Whom */

const form = /** @type {HTMLFormElement} */ (byId('search'))
/** What the view shows. @type {{ whom: Whom } | undefined} */
let shown

/** @type {ReturnType<typeof setTimeout> | undefined} */
let later

/** Finds a client by a key as the page shows it. @param {string} key */
export async function findKey(key) {
  goTo('find')
  await find(key)
}

/** @param {Whom} whom */
async function find(whom) {
  shown = { whom }
  try {
    /** @type {Finding} */
    const finding = await ask('find', { whom })
    if (shown?.whom !== whom) return
    byId('found').replaceChildren(showFinding(finding, whom))
    // The other processes tell their part within four seconds.
    clearTimeout(later)
    if (!finding.isWhole)
      later = setTimeout(() => {
        const isBusy = /** @type {HTMLDialogElement} */ (byId('act')).open || byId('find').hidden
        if (shown?.whom === whom && !isBusy) void find(whom)
      }, 4_500)
  } catch (error) {
    byId('found').replaceChildren(make('p', 'card problem', sentenceOf(error)))
  }
}

/** @returns {Whom} */
function asked() {
  const { kind = 'user', id = '', ip = '' } = textsIn(form)
  return whomOf(kind, id, ip)
}

form.addEventListener('submit', event => {
  event.preventDefault()
  void find(asked())
})
form.addEventListener('change', () => {
  const { kind } = textsIn(form)
  byId('with-ip').hidden = kind !== 'user' && kind !== 'apiKey'
})
// An act may have changed the counters.
byId('act').addEventListener('done', () => {
  if (shown !== undefined && !byId('find').hidden) void find(shown.whom)
})
// A finding names other keys of its client.
addEventListener('find-key', event => void findKey(/** @type {CustomEvent<string>} */ (event).detail))
