// @ts-check
import { openAct } from './act-form.js'
import { badge, button, make } from './dom.js'
import { instant, inWords } from './words.js'

/** @typedef {import('../src/desk/held.ts').Standing} Standing */
/** @typedef {Standing['entries'][number]} Entry */

/** The act that takes an entry back. @type {Readonly<Record<Entry['kind'], string>>} */
const ENDS = { block: 'unblock', allow: 'disallow', override: 'revert', change: 'revert' }

/** One entry that holds, with a button that ends it. @param {Entry} entry */
export function entryRow(entry) {
  const { kind, target, policy, until, scope } = entry
  const left = until === undefined ? 'until it is taken back' : `until ${instant(until)}`
  const client = target === undefined ? {} : { whom: target, who: target }
  return make(
    'li',
    '',
    make('p', 'row', ...partsOf(kind, entry), make('span', 'figure faint', left)),
    scope === 'process'
      ? make('p', 'alone', 'Holds in this process alone, until the store answers.')
      : undefined,
    make(
      'p',
      'row',
      make('span', 'faint', saidBy(entry)),
      make(
        'span',
        'figure',
        button('End …', () => openAct({ act: ENDS[kind], policy, ...client })),
      ),
    ),
  )
}

/** One act of the history. @param {Standing['history'][number]} act */
export function actRow(act) {
  const { until, units, act: name } = act
  const end = until === undefined ? '' : `, until ${instant(until)}`
  const amount = units === undefined ? '' : `${units} ${name === 'reset' ? 'counters' : 'units'}`
  return make(
    'li',
    '',
    make('p', 'row', ...partsOf(name, act), amount, make('time', 'figure faint', instant(act.at))),
    make('p', 'faint', `${saidBy(act)}${end}`),
  )
}

/** @param {string} name @param {Pick<Entry, 'target' | 'policy' | 'numbers'>} facts */
function partsOf(name, { target, policy, numbers }) {
  return [
    badge(name, name === 'block' ? 'bad' : ''),
    make('b', '', target ?? 'everybody'),
    policy === undefined ? undefined : make('span', '', policy),
    numbers === undefined ? undefined : make('span', '', inWords(numbers)),
  ]
}

/** @param {{ by?: string | undefined, reason?: string | undefined }} act */
function saidBy({ by, reason }) {
  return [by ?? 'somebody', reason].filter(part => part !== undefined).join(': ')
}
