// @ts-check
import { make } from './dom.js'

/** @typedef {import('../src/desk/catalogue.ts').CataloguedPolicy} Policy */
/** @typedef {'whom' | 'policy' | 'quota' | 'units' | 'numbers' | 'span' | 'grantSpan' | 'reason'} Field */

/** The form of each act: its title, the word on its last button, its fields. */
/** @type {Readonly<Record<string, { title: string, go: string, fields: readonly Field[] }>>} */
export const FORMS = {
  block: { title: 'Block', go: 'Block', fields: ['whom', 'span', 'reason'] },
  allow: { title: 'Allow', go: 'Allow', fields: ['whom', 'span', 'reason'] },
  unblock: { title: 'End the block', go: 'Unblock', fields: ['whom', 'reason'] },
  disallow: { title: 'End the permission', go: 'Count again', fields: ['whom', 'reason'] },
  override: { title: 'Other numbers', go: 'Set', fields: ['whom', 'policy', 'numbers', 'span', 'reason'] },
  change: {
    title: 'Change a limit for everybody',
    go: 'Change',
    fields: ['policy', 'numbers', 'span', 'reason'],
  },
  revert: { title: 'Take the numbers back', go: 'Take back', fields: ['policy', 'reason'] },
  reset: { title: 'Reset counters', go: 'Reset', fields: ['whom', 'reason'] },
  grant: { title: 'Grant more', go: 'Grant', fields: ['whom', 'quota', 'units', 'grantSpan', 'reason'] },
  ungrant: {
    title: 'Take granted units back',
    go: 'Take back',
    fields: ['whom', 'quota', 'units', 'reason'],
  },
  pause: { title: 'Refuse by this limit alone', go: 'Pause', fields: ['whom', 'span', 'reason'] },
  resume: { title: 'End the pause or the cool-down', go: 'Resume', fields: ['whom', 'reason'] },
  forgive: { title: 'Forgive', go: 'Forgive', fields: ['whom', 'reason'] },
}

const SPANS = [
  ['15m', '15 minutes'],
  ['2h', '2 hours'],
  ['24h', '24 hours'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['', 'until it is taken back'],
]
const GRANT_SPANS = [
  ['', 'until its period ends'],
  ['today', 'for today'],
  ['3h', '3 hours'],
]
const NUMBERS = [
  ['limit', 'Limit', 'number'],
  ['window', 'Window', 'text'],
  ['burst', 'Burst', 'number'],
  ['cost', 'Cost', 'number'],
  ['blockDuration', 'Cool-down', 'text'],
]

/**
 * The fields of a form.
 * @param {readonly Field[]} fields @param {{ policies: readonly Policy[], policy?: string | undefined, limit?: number | undefined }} given
 */
export function fieldsOf(fields, given) {
  return fields.flatMap(field => MAKERS[field](given))
}

/** @type {Readonly<Record<Field, (given: Parameters<typeof fieldsOf>[1]) => HTMLElement[]>>} */
const MAKERS = {
  whom: () => [
    labelled(
      'Who',
      choice('kind', [
        ['ip', 'Address or network'],
        ['user', 'User'],
        ['apiKey', 'API key'],
        ['custom', 'Other key'],
      ]),
    ),
    labelled('Id', input('id', { placeholder: '203.0.113.0/24', maxLength: 2048 })),
  ],
  policy: ({ policies, policy }) => [policyChoice(policies, policy)],
  quota: ({ policies, policy }) => [
    policyChoice(
      policies.filter(({ isQuota }) => isQuota),
      policy,
    ),
  ],
  units: () => [labelled('Units', input('units', { type: 'number', min: '1', step: '1' }))],
  numbers: ({ limit }) => {
    const [first, ...rare] = NUMBERS.map(([name = '', says = '', type = '']) => {
      const placeholder = name === 'limit' && limit !== undefined ? `now ${limit}` : 'as it is'
      const field = input(name, { type, placeholder, ...(type === 'number' ? { min: '1', step: '1' } : {}) })
      field.required = false
      return labelled(says, field)
    })
    const more = make('details', 'wide', make('summary', '', 'Other numbers'), make('div', 'fields', ...rare))
    return [/** @type {HTMLElement} */ (first), more]
  },
  span: () => [labelled('Holds', choice('for', SPANS, '2h'))],
  grantSpan: () => [labelled('Holds', choice('for', GRANT_SPANS))],
  reason: () => [
    labelled('Reason', input('reason', { maxLength: 1000, placeholder: 'The history shows it' }), 'wide'),
  ],
}

/** A tick that the operator sets alone, for a network that is larger than those of one owner. */
export function sizeTick() {
  return make('label', 'check', input('force', { type: 'checkbox' }), 'I mean all of them')
}

/** @param {readonly Policy[]} policies @param {string | undefined} policy */
function policyChoice(policies, policy) {
  const names = policies.map(({ name, limit }) => [name, `${name}, limit ${limit}`])
  if (policy !== undefined && !policies.some(({ name }) => name === policy)) names.push([policy, policy])
  return labelled('Policy', choice('policy', names, policy ?? ''))
}

/** @param {string} says @param {HTMLElement} field */
function labelled(says, field, className = '') {
  return make('label', className, says, field)
}

/** @param {string} name @param {Partial<HTMLInputElement>} properties */
function input(name, properties) {
  const field = make('input')
  return Object.assign(field, { name, required: true, autocomplete: 'off', ...properties })
}

/** @param {string} name @param {readonly (readonly string[])[]} options @param {string} [chosen] */
function choice(name, options, chosen) {
  const select = make('select')
  select.name = name
  for (const [value = '', says = ''] of options)
    select.append(new Option(says, value, false, value === chosen))
  return select
}
