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
const axes = (x, y) => [x, y].map(label => ({ label, stroke: ink, grid: { stroke: '#8884' }, ticks: { stroke: '#8884' } }))
const width = () => Math.max(300, Math.min(960, document.body.clientWidth))
const all = []
const draw = (options, data, place) =>
  all.push(new uPlot({ width: width(), height: 280, cursor: { drag: { x: true } }, ...options }, data, place))
draw({ axes: axes('time', 'requests per ' + seconds + ' s'), series: [{ label: 'from' },
  { label: 'allowed', stroke: '#2a9d5c', fill: '#2a9d5c22' }, { label: 'refused', stroke: '#d1495b', fill: '#d1495b44' }] },
  time, document.getElementById('time'))
for (const { policy, data } of policies) {
  const place = document.getElementById('limits').appendChild(document.createElement('div'))
  place.className = 'plot'
  place.appendChild(document.createElement('h2')).textContent = policy + ': other limits'
  const share = (u, value) => value == null ? '' : value.toFixed(2) + ' %'
  draw({ scales: { x: { time: false, distr: 3, log: 10 } }, axes: axes('limit', '% refused at least once, % of requests'), series: [{ label: 'limit' },
    { label: 'keys', stroke: '#d1495b', value: share }, { label: 'requests', stroke: '#3d5a98', value: share }] }, data, place)
}
addEventListener('resize', () => all.forEach(plot => plot.setSize({ width: width(), height: 280 })))
`

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)
}

// A key of the log may hold `</script>`.
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}
