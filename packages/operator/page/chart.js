// @ts-check
import { byId, press } from './dom.js'
import uPlot from './uplot.js'

/** @typedef {import('../src/watch/timeline.ts').Counts} Counts */

/** How many seconds the page keeps: an hour. */
const KEPT = 3600
const HEIGHT = 230
/** The decisions of each second: allowed, refused, decided without the store. @type {Map<number, [number, number, number]>} */
const seconds = new Map()
/** The same for seconds before the page was opened: the mean of their step. @type {Map<number, [number, number, number]>} */
const means = new Map()
const place = byId('chart')
/** How many seconds are shown while nobody has zoomed. */
let shown = 120
let isZoomed = false
/** @type {uPlot | undefined} */
let plot

/** How many seconds a step of the hour has. */
const STEP = 15

/**
 * Adds the counts of a feed. Seconds that were not seen one by one have the mean of their step of the hour.
 * @param {Counts} counts by the second @param {Counts} hour @param {number} since when the recording began: Unix milliseconds
 */
export function drawChart(counts, hour, since) {
  const first = Math.floor(since / 1000)
  // Anew each time, because other processes tell their hour later.
  means.clear()
  hour.allowed.forEach((allowed, i) => {
    const begin = hour.second - (hour.allowed.length - 1 - i) * STEP
    const mean = (/** @type {number | undefined} */ n) => Math.round(((n ?? 0) / STEP) * 10) / 10
    for (let second = begin; second < begin + STEP && second < hour.second; second++)
      if (second >= first) means.set(second, [mean(allowed), mean(hour.refused[i]), mean(hour.degraded[i])])
  })
  counts.allowed.forEach((allowed, i) => {
    // The last second has only begun.
    const second = counts.second - counts.allowed.length + 1 + i
    if (second >= first && second < counts.second)
      seconds.set(second, [allowed, counts.refused[i] ?? 0, counts.degraded[i] ?? 0])
  })
  for (const second of seconds.keys()) if (second < counts.second - KEPT) seconds.delete(second)
  const data = dataOf(counts.second)
  plot ??= makePlot(data)
  plot.setData(data, false)
  if (!isZoomed) follow()
}

/** One column for each second, also for those in which the page was hidden. @param {number} now @returns {uPlot.AlignedData} */
function dataOf(now) {
  const first = Math.min(now - 1, ...seconds.keys(), ...means.keys())
  const times = Array.from({ length: now - first }, (_, i) => first + i)
  const column = (/** @type {0 | 1 | 2} */ at) =>
    times.map(time => (seconds.get(time) ?? means.get(time))?.[at] ?? null)
  const [allowed, refused, degraded] = [column(0), column(1), column(2)]
  // Refused decisions stand on the allowed ones: the sum is drawn first, and the allowed ones over it.
  const sum = allowed.map((n, i) => (n === null ? null : n + (refused[i] ?? 0)))
  return [times, sum, allowed, degraded.map(n => n || null)]
}

/** @param {string} name */
const colour = name => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** @param {uPlot.AlignedData} data */
function makePlot(data) {
  const bars = /** @type {uPlot.Series.PathBuilder} */ (uPlot.paths.bars?.({ size: [0.86, 12], align: 1 }))
  const axis = {
    stroke: colour('--soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  const made = new uPlot(
    {
      width: widthOf(),
      height: HEIGHT,
      padding: [10, 6, 0, 0],
      cursor: { drag: { x: true, y: false }, points: { show: false }, bind: { dblclick: () => back } },
      select: { show: true, left: 0, top: 0, width: 0, height: 0 },
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(5, (high ?? 0) * 1.08)] } },
      axes: [
        { ...axis, size: 28, space: 76, grid: { show: false }, values: (_plot, times) => times.map(clock) },
        { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6] },
      ],
      series: [
        { label: 'at', value: '{HH}:{mm}:{ss}' },
        {
          label: 'refused',
          paths: bars,
          fill: colour('--refused'),
          points: { show: false },
          value: (plot, sum, _series, at) =>
            sum === null || at === null ? '–' : rounded(sum - (plot.data[2]?.[at] ?? 0)),
        },
        { label: 'allowed', paths: bars, fill: colour('--allowed'), points: { show: false }, value },
        {
          label: 'without the store',
          paths: bars,
          fill: colour('--bad'),
          points: { show: false },
          value: (_plot, n) => String(n ?? 0),
        },
      ],
      hooks: { setSelect: [({ select }) => void (isZoomed = select.width > 0 || isZoomed)] },
    },
    data,
    place,
  )
  return made
}

/** @param {uPlot} _plot @param {number | null} n */
function value(_plot, n) {
  return n === null || n === undefined ? '–' : rounded(n)
}

/** @param {number} n */
function rounded(n) {
  return String(Math.round(n * 10) / 10)
}

/** An instant on the axis. @param {number} second */
function clock(second) {
  return new Date(second * 1000).toTimeString().slice(0, 8)
}

function widthOf() {
  return Math.max(200, place.clientWidth)
}

/** Shows the last seconds. */
function follow() {
  const last = plot?.data[0].at(-1) ?? 0
  plot?.setScale('x', { min: last - shown, max: last + 1 })
}

/** Ends a zoom. */
function back() {
  isZoomed = false
  follow()
  return null
}

/** Zooms around the cursor, or around the middle. @param {number} factor */
function zoom(factor) {
  const { min, max } = plot?.scales['x'] ?? {}
  if (plot === undefined || min === undefined || max === undefined) return
  const { left } = plot.cursor
  const middle = left !== undefined && left >= 0 ? plot.posToVal(left, 'x') : (min + max) / 2
  isZoomed = true
  plot.setScale('x', { min: middle - (middle - min) * factor, max: middle + (max - middle) * factor })
}

/** Moves the cursor to another second. @param {number} by */
function step(by) {
  if (plot === undefined) return
  const times = plot.data[0]
  const at = Math.max(0, Math.min(times.length - 1, (plot.cursor.idx ?? times.length) + by))
  plot.setCursor({ left: plot.valToPos(times[at] ?? 0, 'x') + 1, top: 10 })
}

/** @type {Readonly<Record<string, () => void>>} */
const KEYS = {
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  '+': () => zoom(0.5),
  '-': () => zoom(2),
  0: back,
}
place.addEventListener('keydown', event => {
  const act = KEYS[event.key]
  if (act === undefined) return
  event.preventDefault()
  act()
})

const spans = document.querySelectorAll('[data-span]')
for (const one of spans)
  one.addEventListener('click', () => {
    shown = Number(one.getAttribute('data-span'))
    press(spans, one)
    back()
  })

addEventListener('resize', () => plot?.setSize({ width: widthOf(), height: HEIGHT }))
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot?.redraw(false, true))
