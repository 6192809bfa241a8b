// @ts-check
import { text } from './tables.js'

const SVG = 'http://www.w3.org/2000/svg'
const [WIDTH, HEIGHT, GAP, STRIP] = [1080, 170, 2, 5]
const NAMES = /** @type {const} */ (['allowed', 'refused', 'degraded'])
const chart = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.getElementById('chart')))

/** @typedef {Readonly<Record<'allowed' | 'refused' | 'degraded', readonly number[]>>} Counts */
/** @type {Counts} */
let shown = { allowed: [], refused: [], degraded: [] }
/** @type {SVGRectElement[][]} */
let bars = []
let pointedAt = -1

/**
 * Draws a bar per second, with refused checks on top of allowed ones, and a strip above the seconds in which the store did
 * not decide. @param {Counts} counts
 */
export function drawChart(counts) {
  shown = counts
  const length = counts.allowed.length
  if (bars.length !== length) build(length)
  const highest = roundUp(Math.max(5, ...counts.allowed.map((n, i) => n + (counts.refused[i] ?? 0))))
  const unit = HEIGHT / highest
  bars.forEach(([allowed, refused, degraded], i) => {
    const [low, high] = [(counts.allowed[i] ?? 0) * unit, (counts.refused[i] ?? 0) * unit]
    stand(allowed, HEIGHT - low, low)
    stand(refused, HEIGHT - low - high, high)
    stand(degraded, 0, (counts.degraded[i] ?? 0) > 0 ? STRIP : 0)
  })
  hover()
  text('highest', String(highest))
  const degraded = label('degraded', 'without the store')
  if (!counts.degraded.some(n => n > 0)) degraded.classList.add('none')
  text('legend', '').append(label('allowed'), label('refused'), degraded)
}

/** @param {number} length */
function build(length) {
  chart.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`)
  chart.setAttribute('preserveAspectRatio', 'none')
  const lines = [0, 0.5, 1].map(share => {
    const y = String(0.5 + share * (HEIGHT - 1))
    return make('line', { x1: '0', x2: String(WIDTH), y1: y, y2: y })
  })
  const wide = WIDTH / length
  bars = Array.from({ length }, (_, i) =>
    NAMES.map(name => {
      const place = { class: name, x: String(i * wide), width: String(wide - GAP), y: '0', height: '0' }
      return /** @type {SVGRectElement} */ (make('rect', place))
    }),
  )
  chart.replaceChildren(...lines, ...bars.flat())
  chart.addEventListener('pointermove', event => {
    const { left, width } = chart.getBoundingClientRect()
    pointedAt = Math.floor(((event.clientX - left) / width) * length)
    hover()
  })
  chart.addEventListener('pointerleave', () => {
    pointedAt = -1
    hover()
  })
}

function hover() {
  const [allowed, refused] = [shown.allowed[pointedAt], shown.refused[pointedAt]]
  const ago = shown.allowed.length - 1 - pointedAt
  text('hover', allowed === undefined ? '' : `${ago} s ago: ${allowed} allowed, ${refused} refused`)
}

/** @param {SVGRectElement | undefined} bar @param {number} y @param {number} height */
function stand(bar, y, height) {
  bar?.setAttribute('y', y.toFixed(2))
  bar?.setAttribute('height', height.toFixed(2))
}

/** 5, 6, 8, 10, 15, 20 … @param {number} n */
function roundUp(n) {
  const power = 10 ** Math.floor(Math.log10(n))
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(step => step * power >= n) ?? 10) * power
}

/** @param {string} name */
function label(name, says = name) {
  const span = document.createElement('span')
  span.className = `key ${name}`
  span.textContent = says
  return span
}

/** @param {string} name @param {Record<string, string>} attributes */
function make(name, attributes) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}
