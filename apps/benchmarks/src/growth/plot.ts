import type { Point } from './fit.ts'

/** One line of a plot. */
interface PlotLine {
  readonly label: string
  readonly points: readonly Point[]
}

/** A plot of CPU time per check by size. */
export interface PlotData {
  readonly title: string
  /** The name of the horizontal axis. */
  readonly axis: string
  /** Which axes are logarithmic. */
  readonly log: 'none' | 'x' | 'both'
  readonly lines: readonly PlotLine[]
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [440, 260, 62, 18, 56, 44]

// The colours of the lines have a contrast of at least 4.5 to 1, on white and on GitHub's dark page.
const STYLE = `text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:13px}.axis{fill:#59636e}
.grid{stroke:#d1d9e0}.l0{--c:#0969da}.l1{--c:#bc4c00}.l2{--c:#1a7f37}polyline{fill:none;stroke:var(--c);stroke-width:2}
circle,.key{fill:var(--c)}@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.axis{fill:#9198a1}.grid{stroke:#3d444d}
.l0{--c:#58a6ff}.l1{--c:#f0883e}.l2{--c:#3fb950}}`

/** Draws a plot as an SVG that is readable on a light and on a dark page. */
export function drawPlot({ title, axis, log, lines }: PlotData): string {
  const points = lines.flatMap(line => line.points)
  const sizes = [...new Set(points.map(({ size }) => size))].sort((a, b) => a - b)
  const ticks = ticksUpTo(
    points.map(({ nanos }) => nanos),
    log === 'both',
  )
  const across = scale(sizes, log === 'none', LEFT, WIDTH - RIGHT)
  const up = scale(ticks, log !== 'both', HEIGHT - BOTTOM, TOP)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${title}: CPU time per check</title><style>${STYLE}</style>`,
    text(12, 18, `class="title"`, title),
    ...legend(lines),
    ...ticks.flatMap(tick => [
      `<path class="grid" d="M${LEFT} ${up(tick)}H${WIDTH - RIGHT}"/>`,
      text(LEFT - 8, up(tick) + 4, `class="axis" text-anchor="end"`, duration(tick)),
    ]),
    ...sizes.map(size =>
      text(across(size), HEIGHT - BOTTOM + 18, `class="axis" text-anchor="middle"`, short(size)),
    ),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, `class="axis" text-anchor="middle"`, axis),
    ...lines.map(({ points: own }, i) => {
      const places = own.map(({ size, nanos }) => [across(size), up(nanos)] as const)
      const dots = places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3"/>`).join('')
      return `<g class="l${i}"><polyline points="${places.map(place => place.join(',')).join(' ')}"/>${dots}</g>`
    }),
    '</svg>\n',
  ].join('\n')
}

function legend(lines: readonly PlotLine[]): string[] {
  if (lines.length === 1) return []
  let x = 12
  return lines.map(({ label }, i) => {
    const item = `<g class="l${i}"><path class="key" d="M${x} 33h12v4h-12z"/>${text(x + 17, 40, '', label)}</g>`
    x += 34 + label.length * 6.4
    return item
  })
}

function text(x: number, y: number, attributes: string, content: string): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${content}</text>`
}

/** Maps values, from the first to the last, to a range of pixels. */
function scale(
  values: readonly number[],
  linear: boolean,
  from: number,
  to: number,
): (value: number) => number {
  const place = (value: number): number => (linear ? value : Math.log10(value))
  const [low, high] = [place(values[0] ?? 0), place(values.at(-1) ?? 1)]
  return value => round(from + ((place(value) - low) / (high - low)) * (to - from))
}

/** The values of the horizontal lines: the lowest and the highest enclose all given values. */
function ticksUpTo(values: readonly number[], log: boolean): number[] {
  const most = Math.max(...values)
  if (log) {
    const low = Math.floor(Math.log10(Math.min(...values)))
    return Array.from({ length: Math.ceil(Math.log10(most)) - low + 1 }, (_, i) => 10 ** (low + i))
  }
  const rough = most / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 2.5, 5, 10].find(factor => factor * power >= rough) ?? 10)
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step)
}

function duration(nanos: number): string {
  if (nanos >= 1e6) return `${nanos / 1e6} ms`
  return nanos >= 1000 ? `${short(nanos / 1000)} µs` : `${nanos} ns`
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`
  return value >= 1e3 ? `${value / 1e3} k` : String(value)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
