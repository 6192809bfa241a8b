// @ts-check
import { drawChart } from './chart.js'
import { badge, bar, fill, make, press, row, text } from './dom.js'
import { clientLink } from './client-link.js'
import { showLines } from './lines.js'
import { showProcesses } from './processes.js'
import { isRefusing, showShedders } from './shedders.js'
import { count, milliseconds, span, whole } from './words.js'

/** @typedef {import('../src/watch/feed.ts').Feed} Feed */

const ROWS = 6
/** @type {'refused' | 'used'} */
let keysShown = 'refused'
/** @type {Feed | undefined} */
let last

/** Shows the numbers of all processes. @param {Feed} feed */
export function showNow(feed) {
  last = feed
  const { counts, hour, processes, waiting, now, since } = feed
  const [allowed, refused] = [sum(counts.allowed), sum(counts.refused)]
  text('allowed', whole(latest(counts.allowed)))
  text('refused', whole(latest(counts.refused)))
  text('share', allowed + refused === 0 ? '–' : `${Math.round((100 * refused) / (allowed + refused))} %`)
  text('waiting', whole(waiting))
  text('p95', milliseconds(highest(processes.map(({ store }) => store.p95))))
  text(
    'since',
    `The last ${span(Math.min(now - since, 3_600_000))}. Seconds are shown since this page was opened; before that, the mean of every 15 seconds.`,
  )
  drawChart(counts, hour, since)
  showPolicies(feed)
  showKeys(feed)
  showLines(feed)
  showProcesses(feed)
  showShedders(feed)
  showEvents(feed)
  showState(feed)
}

/** @param {Feed} feed */
function showState({ processes, problem }) {
  const away = processes.filter(({ store }) => !['store', 'unknown'].includes(store.decides)).length
  const shedding = processes.filter(({ shedders }) => shedders.some(isRefusing)).length
  const all = count(processes.length, 'process', 'processes')
  if (problem !== undefined) state('bad', 'The store does not answer')
  else if (away > 0) state('bad', `${away} of ${all} without the store`)
  else if (shedding > 0) state('bad', `${shedding} of ${all} shed${shedding === 1 ? 's' : ''} load`)
  else state('good', `Healthy: ${all}`)
}

/** @param {'good' | 'bad'} mood @param {string} says */
function state(mood, says) {
  text('state', says).className = `pill ${mood}`
}

/** @param {Feed} feed */
function showPolicies({ policies, now }) {
  const rows = policies.slice(0, ROWS).map(tally => {
    // The bar shows whole units, as the text does, because a part of a unit admits nothing.
    const units = Math.floor(leftOf(tally, now) * tally.limit)
    return { ...tally, units }
  })
  fill(
    'policies',
    rows.map(({ policy, key, units, limit, shadow, scarce }) => [policy, key, units, limit, shadow, scarce]),
    () =>
      rows.map(({ policy, key, units, limit, shadow, scarce }) =>
        make(
          'li',
          '',
          row(
            make('b', '', policy),
            clientLink(key),
            shadow ? badge('shadow') : undefined,
            scarce ? badge(`scarce ${scarce} s of the last minute`) : undefined,
            `${units} of ${limit} left`,
          ),
          bar(units / limit, units / limit < 0.2),
        ),
      ),
    'Nothing was counted yet.',
  )
}

/** @param {Feed} feed */
function showKeys(feed) {
  const keys = feed[keysShown].slice(0, ROWS)
  const most = keys[0]?.count ?? 1
  fill(
    'keys',
    [keysShown, keys],
    () =>
      keys.map(({ key, count: n, error, policy }) =>
        make(
          'li',
          '',
          row(clientLink(key), make('span', 'faint', policy), `${error > 0 ? '≤ ' : ''}${whole(n)}`),
          bar(n / most, keysShown === 'refused'),
        ),
      ),
    keysShown === 'refused' ? 'Nobody was refused yet.' : 'Nobody was counted yet.',
  )
}

/** @param {Feed} feed */
function showEvents({ events, now }) {
  const rows = events.map(({ at, what, key }) => ({ what, key, ago: span(now - at) }))
  fill(
    'events',
    rows,
    () =>
      rows.map(({ what, key, ago }) =>
        make(
          'li',
          '',
          make('p', '', what),
          make('p', 'faint', key === undefined ? '' : clientLink(key), make('time', '', `${ago} ago`)),
        ),
      ),
    'Nothing to tell.',
  )
}

/**
 * The share of a limit that is left now, if units come back evenly.
 * @param {Feed['policies'][number]} tally @param {number} now
 */
function leftOf({ limit, remaining, at, resetAt }, now) {
  const left = Math.max(0, Math.min(1, remaining / limit))
  const rest = resetAt * 1000 - at
  return rest <= 0 ? 1 : Math.min(1, left + (1 - left) * ((now - at) / rest))
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, n) => total + n, 0)
}

/** The number of the last whole second, because the present one has only begun. @param {readonly number[]} numbers */
function latest(numbers) {
  return numbers.at(-2) ?? 0
}

/** @param {readonly (number | undefined)[]} numbers */
function highest(numbers) {
  const known = numbers.filter(n => n !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

const choices = document.querySelectorAll('[data-keys]')
for (const one of choices)
  one.addEventListener('click', () => {
    keysShown = one.getAttribute('data-keys') === 'used' ? 'used' : 'refused'
    press(choices, one)
    if (last !== undefined) showKeys(last)
  })
