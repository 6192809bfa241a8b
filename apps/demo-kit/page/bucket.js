// @ts-check
import { ask } from './server.js'
import { text } from './tables.js'

const SVG = 'http://www.w3.org/2000/svg'
const GLASS = 'M16 18 L26 116 Q27 122 33 122 H87 Q93 122 94 116 L104 18 Z'
const [TOP, BOTTOM] = [24, 122]
const picture = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.getElementById('bucket')))
const water = make('rect', { x: '0', width: '120', y: String(BOTTOM), height: '0', class: 'water' })
build()

/** @typedef {import('../src/live/bucket.ts').BucketLevel} BucketLevel */
/** The last level from the server, and its time. @type {BucketLevel & { at: number }} */
let level = { limit: 1, perSecond: 0, remaining: 0, at: 0 }

/** The number of clicks. */
let takes = 0

/** @param {BucketLevel} said */
export function showBucket(said) {
  level = { ...said, at: performance.now() }
  text('capacity', String(said.limit))
}

/** Lets the buttons take from the bucket. @param {() => Promise<void>} refresh */
export function takeOnClick(refresh) {
  for (const button of document.querySelectorAll('button')) {
    button.addEventListener('click', () => void take(button.dataset['take'] ?? '1', refresh))
  }
  requestAnimationFrame(draw)
}

/** @param {string} units @param {() => Promise<void>} refresh */
async function take(units, refresh) {
  const mine = ++takes
  const says = await taken(units)
  // Answers may arrive in another order than the clicks. Only the answer to the last click counts.
  if (mine === takes) text('taken', says)
  await refresh()
}

/** @param {string} units */
async function taken(units) {
  try {
    const response = await ask('take', { method: 'POST', headers: { 'x-halt-take': units } })
    const { allowed, retryAfter } = await response.json()
    return allowed ? `Took ${units}.` : `Refused: ${units} would pass in ${retryAfter} s. It cost nothing.`
  } catch {
    return 'The app does not answer.'
  }
}

// Between two answers it refills by the clock, as the limiter computes it.
function draw() {
  const since = (performance.now() - level.at) / 1000
  const units = Math.min(level.limit, level.remaining + since * level.perSecond)
  const height = (units / level.limit) * (BOTTOM - TOP)
  water.setAttribute('y', (BOTTOM - height).toFixed(1))
  water.setAttribute('height', height.toFixed(1))
  water.setAttribute('class', units / level.limit < 0.3 ? 'water low' : 'water')
  text('level', level.at === 0 ? '–' : String(Math.floor(units)))
  requestAnimationFrame(draw)
}

function build() {
  const clip = make('clipPath', { id: 'inside' })
  clip.append(make('path', { d: GLASS }))
  const inside = make('g', { 'clip-path': 'url(#inside)' })
  inside.append(make('rect', { x: '0', y: '18', width: '120', height: '104', class: 'glass' }), water)
  const handle = make('path', { d: 'M16 18 Q60 -16 104 18', class: 'rim' })
  const rim = make('path', { d: GLASS, class: 'rim', 'stroke-linejoin': 'round' })
  picture.append(clip, inside, handle, rim)
}

/** @param {string} name @param {Record<string, string>} attributes */
function make(name, attributes) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}
