import { readFileSync } from 'node:fs'
import { coloursOf, type CliIo } from '../io.ts'
import type { ReplayResult } from './result.ts'
import { textReport } from './text-report.ts'

/**
 * Writes the result of a replay as one HTML file without further files: the report, and plots that zoom and show values. uPlot is
 * written into the file.
 */
export function htmlReport(result: ReplayResult, io: CliIo, below: number | undefined): string {
  const read = (file: string): string => readFileSync(io.require.resolve(file), 'utf8')
  const script = read('uplot/dist/uPlot.iife.min.js')
  const style = read('uplot/dist/uPlot.min.css')
  const report = textReport(result, coloursOf({ ...io, env: { NO_COLOR: '1' } }, io.stdout), below)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>halt replay</title>
<style>${style}
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
pre { overflow-x: auto } .plot { overflow-x: auto } .u-legend { font-size: 13px }
</style>
<h1>halt replay</h1>
<pre>${escaped(report.join('\n'))}</pre>
<h2>Requests over time</h2>
<div class="plot" id="time"></div>
<div id="limits"></div>
<script>${script}</script>
<script id="data" type="application/json">${inScript(plots(result))}</script>
<script>${PLOT}</script>
</html>
`
}

function plots({ timeline: { stretches, lengthMs }, policies }: ReplayResult): unknown {
  return {
    seconds: lengthMs / 1000,
    time: [0, 1, 2].map(at => stretches.map(each => (at === 0 ? each[0]! / 1000 : each[at as 1 | 2]))),
    policies: policies
      .filter(({ limits }) => limits.length > 1)
      .map(({ policy, limits, keys, requests }) => ({
        policy,
        data: [
          limits.map(({ limit }) => limit),
          limits.map(({ keysRefused }) => (keysRefused / Math.max(1, keys)) * 100),
          limits.map(({ refused }) => (refused / Math.max(1, requests)) * 100),
        ],
      })),
  }
}

const PLOT = `
const { time, seconds, policies } = JSON.parse(document.getElementById('data').textContent)
const ink = getComputedStyle(document.body).color
const axis = (label, more) => ({ label, stroke: ink, grid: { stroke: '#8884' }, ticks: { stroke: '#8884' }, ...more })
const size = place => ({ width: Math.max(320, place.clientWidth), height: 280 })
const all = []
const draw = (place, options, data) =>
  all.push([place, new uPlot({ ...size(place), tzDate: at => uPlot.tzDate(new Date(at * 1000), 'UTC'), ...options }, data, place)])
draw(document.getElementById('time'), {
  axes: [axis('time (UTC)', { space: 90, values: [[86400, '{YYYY}-{MM}-{DD}'], [60, '{HH}:{mm}'], [1, '{HH}:{mm}:{ss}']].map(
    ([step, text]) => [step, text, null, null, null, null, null, null, 1]) }), axis('requests per ' + seconds + ' s')],
  series: [{ label: 'from', value: '{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}' },
    { label: 'allowed', stroke: '#2a9d5c', fill: '#2a9d5c22' }, { label: 'refused', stroke: '#d1495b', fill: '#d1495b44' }],
}, time)
for (const { policy, data } of policies) {
  const box = document.getElementById('limits').appendChild(document.createElement('section'))
  box.appendChild(document.createElement('h2')).textContent = policy + ': other limits'
  const place = box.appendChild(document.createElement('div'))
  place.className = 'plot'
  const share = (u, value) => value == null ? '' : value.toFixed(2) + ' %'
  draw(place, {
    scales: { x: { time: false, distr: 3, log: 10 } },
    axes: [axis('limit', { splits: () => data[0], values: (u, splits) => splits, filter: (u, splits) => splits }), axis('% refused')],
    series: [{ label: 'limit' }, { label: 'of keys', stroke: '#d1495b', value: share }, { label: 'of requests', stroke: '#3d5a98', value: share }],
  }, data)
}
addEventListener('resize', () => all.forEach(([place, plot]) => plot.setSize(size(place))))
`

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)
}

// A key of the log may hold `</script>`.
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}
