// @ts-check
import { showDone } from './done.js'
import { byId, make, text, textsIn } from './dom.js'
import { fieldsOf, FORMS, sizeTick } from './act-forms.js'
import { ask, sentenceOf } from './server.js'
import { whomOf } from './whom.js'

/** @typedef {import('../src/acts/acts.ts').ActAnswer} ActAnswer */
/** @typedef {import('../src/desk/catalogue.ts').CataloguedPolicy} Policy */
/** @typedef {import('../src/desk/identities.ts').Whom} Whom */
/**
 * An act, and what is known of it before the form.
 * @typedef {{ act: string, whom?: Whom, who?: string, policy?: string | undefined, limit?: number | undefined }} Start
 */

const dialog = /** @type {HTMLDialogElement} */ (byId('act'))
const form = /** @type {HTMLFormElement} */ (dialog.querySelector('form'))
const go = /** @type {HTMLButtonElement} */ (byId('act-go'))
/** @type {readonly Policy[]} */
let policies = []
/** @type {Start & { token: string, isTold: boolean }} */
let open = { act: '', token: '', isTold: false }

/** @param {readonly Policy[]} known */
export function setPolicies(known) {
  policies = known
}

/** Opens the form of an act. @param {Start} start */
export function openAct(start) {
  const known = FORMS[start.act]
  if (known === undefined) return
  // A grant that is sent twice counts once.
  open = { ...start, token: crypto.getRandomValues(new Uint32Array(3)).join('-'), isTold: false }
  const fields = known.fields.filter(field => field !== 'whom' || start.whom === undefined)
  text('act-title', start.who === undefined ? known.title : `${known.title}: ${start.who}`)
  byId('act-fields').replaceChildren(...fieldsOf(fields, { policies, ...start }))
  tell([])
  dialog.showModal()
}

/** The call of the form. */
function callOf() {
  const fields = Object.fromEntries(Object.entries(textsIn(form)).filter(([, value]) => value !== ''))
  const { kind, id, limit, window, burst, cost, blockDuration, units, force, ...rest } = fields
  const numbers = {
    ...(limit && { limit: Number(limit) }),
    ...(window && { window }),
    ...(burst && { burst: Number(burst) }),
    ...(cost && { cost: Number(cost) }),
    ...(blockDuration && { blockDuration }),
  }
  const whom = open.whom ?? (kind && id ? whomOf(kind, id) : undefined)
  return {
    act: open.act,
    token: open.token,
    ...(open.policy && { policy: open.policy }),
    ...rest,
    ...(whom && { whom }),
    ...(units && { units: Number(units) }),
    ...(Object.keys(numbers).length > 0 && { numbers }),
    ...(force && { force: true }),
  }
}

async function submit() {
  go.disabled = true
  try {
    /** @type {ActAnswer} */
    const answer = await ask('act', { ...callOf(), confirmed: open.isTold })
    if (answer.done) {
      dialog.close()
      showDone(answer.says, answer.undo)
    } else {
      open.isTold = true
      const says = [
        make('p', '', answer.says),
        ...answer.warnings.map(warning => make('p', 'warning', warning)),
        ...(answer.needsForce ? [sizeTick()] : []),
      ]
      tell(says, answer.scope === 'process' ? ' in this process' : '')
    }
  } catch (error) {
    open.isTold = false
    tell([make('p', 'warning', sentenceOf(error))])
  } finally {
    go.disabled = false
    const tick = /** @type {HTMLElement | null} */ (form.querySelector('[name=force]'))
    if (open.isTold) (tick ?? go).focus()
  }
}

/** Shows what the act will do, and asks for a confirmation. @param {HTMLElement[]} says @param {string} where */
function tell(says, where = '') {
  byId('act-says').replaceChildren(...says)
  for (const field of byId('act-fields').querySelectorAll('input, select'))
    field.toggleAttribute('inert', open.isTold)
  text('act-go', open.isTold ? `${FORMS[open.act]?.go ?? 'Confirm'}${where}` : 'Continue').classList.toggle(
    'danger',
    open.isTold,
  )
  text('act-back', open.isTold ? 'Back' : 'Cancel')
}

form.addEventListener('submit', event => {
  event.preventDefault()
  void submit()
})
byId('act-back').addEventListener('click', () => {
  if (!open.isTold) return dialog.close()
  open.isTold = false
  tell([])
})
