// @ts-check
import { showBucket, takeOnClick } from './bucket.js'
import { drawChart } from './chart.js'
import { ask } from './server.js'
import { showEvents, showKeys, showPolicies, showStore, text } from './tables.js'

/** @typedef {import('../src/live/feed.ts').Feed} Feed */

const EVERY = 1000

/** @param {readonly number[]} numbers */
const sum = numbers => numbers.reduce((total, n) => total + n, 0)

/** The value of the last whole second, because the present one has only begun. @param {readonly number[]} numbers */
const now = numbers => String(numbers.at(-2) ?? 0)

/** @param {Feed} feed */
function show(feed) {
  const { counts, store } = feed
  const [allowed, refused] = [sum(counts.allowed), sum(counts.refused)]
  text('allowed', now(counts.allowed))
  text('refused', now(counts.refused))
  text('share', allowed + refused === 0 ? '–' : `${Math.round((100 * refused) / (allowed + refused))} %`)
  text(
    'p95',
    store.p95 === undefined ? '–' : `${store.p95 < 10 ? store.p95.toFixed(2) : Math.round(store.p95)} ms`,
  )
  drawChart(counts)
  showPolicies(feed)
  showKeys(feed)
  showStore(feed)
  showEvents(feed)
  showBucket(feed.bucket)
  if (store.decides === 'store') state('good', 'Healthy: the store decides')
  else state('bad', `Degraded: ${store.decides}`)
}

/** @param {'good' | 'bad' | ''} mood @param {string} says */
function state(mood, says) {
  text('state', says).className = `pill ${mood}`
}

async function refresh() {
  try {
    const response = await ask('feed', { signal: AbortSignal.timeout(5000) })
    if (response.ok) show(await response.json())
    else state('bad', response.status === 429 ? 'Too many wrong tokens' : `Answered ${response.status}`)
  } catch {
    state('bad', 'The app does not answer')
  }
}

// One request at a time, and only while the page is visible.
async function watch() {
  if (!document.hidden) await refresh()
  setTimeout(() => void watch(), EVERY)
}

takeOnClick(refresh)
document.addEventListener('visibilitychange', () => void refresh())
void watch()
