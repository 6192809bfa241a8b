// @ts-check
// Sets text only as text, so that no string of the feed can become an element.

/** @typedef {import('../src/live/feed.ts').Feed} Feed */

/** Sets the text of the element with an id. @param {string} id @param {string} says */
export function text(id, says) {
  const element = /** @type {HTMLElement} */ (document.getElementById(id))
  if (element.textContent !== says) element.textContent = says
  return element
}

/** @param {Feed} feed */
export function showPolicies({ policies, now }) {
  const rows = policies.slice(0, 6).map(tally => {
    // The bar shows whole units, as the text does, because a part of a unit admits nothing.
    const units = Math.floor(leftOf(tally, now) * tally.limit)
    const left = units / tally.limit
    const row = line(
      tally.policy,
      `${tally.key}${tally.shadow ? ', shadow' : ''}`,
      `${units} of ${tally.limit} left`,
    )
    row.append(track(left, left < 0.2))
    return row
  })
  fill('policies', rows, 'Nothing was counted yet.')
}

/** @param {Feed} feed */
export function showKeys({ refusedKeys }) {
  const most = refusedKeys[0]?.refused ?? 1
  const rows = refusedKeys.slice(0, 6).map(({ key, refused, excess, policy, reason }) => {
    const row = line(key, `${policy}, ${reason}`, `${excess > 0 ? '≤ ' : ''}${refused} refused`)
    row.append(track(refused / most, true))
    return row
  })
  fill('keys', rows, 'Nobody was refused yet.')
}

/** @param {Feed} feed */
export function showStore({ store, counts, now }) {
  const degraded = counts.degraded.reduce((total, n) => total + n, 0)
  /** @type {[string, string][]} */
  const facts = [
    ['Kind', store.kind],
    ['Decides', store.decides === 'store' ? 'the store' : `${store.decides}, in its place`],
    ['Since', `${span(now - store.since)} ago`],
    ['Median of a decision', store.median === undefined ? '–' : `${store.median.toFixed(2)} ms`],
    ['Decided without it', `${degraded} in 2 min`],
    ['Errors', String(store.errors)],
    [
      'Last error',
      store.lastError ? `${store.lastError.failure}, ${span(now - store.lastError.at)} ago` : 'none',
    ],
  ]
  const list = facts.flatMap(([term, fact]) => [make('dt', term), make('dd', fact)])
  text('store', '').replaceChildren(...list)
}

/** @param {Feed} feed */
export function showEvents({ events, now }) {
  const rows = events.map(({ at, what, key }) => {
    const row = make('li', '')
    const detail = make('p', '', 'faint')
    detail.append(make('span', key ?? ''), make('time', `${span(now - at)} ago`))
    row.append(make('p', what), detail)
    return row
  })
  fill('events', rows, 'Nothing to tell.')
}

/**
 * The share of a limit that is left now, if units come back evenly.
 * @param {Feed['policies'][number]} tally @param {number} now
 */
function leftOf({ limit, remaining, at, resetAt }, now) {
  const left = Math.max(0, Math.min(1, remaining / limit))
  const whole = resetAt * 1000 - at
  return whole <= 0 ? 1 : Math.min(1, left + (1 - left) * ((now - at) / whole))
}

/** @param {number} ms */
function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}

/** @param {string} id @param {HTMLElement[]} rows @param {string} none */
function fill(id, rows, none) {
  const list = /** @type {HTMLElement} */ (document.getElementById(id))
  list.replaceChildren(...(rows.length > 0 ? rows : [make('li', none, 'none')]))
}

/** @param {string} name @param {string} detail @param {string} figure */
function line(name, detail, figure) {
  const item = make('li', '')
  const row = make('p', '', 'row')
  row.append(make('span', name), make('span', detail, 'faint'), make('span', figure))
  item.append(row)
  return item
}

/** @param {number} share @param {boolean} isLow */
function track(share, isLow) {
  const bar = make('div', '', isLow ? 'track low' : 'track')
  const fillBar = make('i', '')
  fillBar.style.width = `${Math.round(100 * share)}%`
  bar.append(fillBar)
  return bar
}

/** @param {string} name @param {string} says @param {string} [className] */
function make(name, says, className = '') {
  const element = document.createElement(name)
  element.textContent = says
  if (className !== '') element.className = className
  return element
}
