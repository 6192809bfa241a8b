import { describe, expect, it } from 'vitest'

import { drawPlot, type PlotData } from '../../src/growth/plot.ts'

const data: PlotData = {
  title: 'Policies in one step',
  axis: 'policies',
  log: 'none',
  lines: [
    {
      label: 'policies',
      points: [
        { size: 1, nanos: 600 },
        { size: 2, nanos: 900 },
        { size: 4, nanos: 1500 },
      ],
    },
  ],
}

/** The places of the dots of a plot. */
function dots(svg: string): [x: number, y: number][] {
  return [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)])
}

/** The colours of a style sheet, by selector. */
function coloursOf(style: string): Map<string, string> {
  const rules = style.matchAll(/([^{}\s]+)\{[^{}]*?(?:fill|stroke|--c):(#[\da-f]{6})/g)
  return new Map([...rules].map(([, selector = '', colour = '']) => [selector, colour]))
}

describe('a plot', () => {
  it('a plot shows every point at a place in proportion to its size and its time', () => {
    const [one, two, four] = dots(drawPlot(data))
    expect((four![0] - one![0]) / (two![0] - one![0])).toBeCloseTo(3, 1)
    expect((four![1] - one![1]) / (two![1] - one![1])).toBeCloseTo(3, 1)
    expect(four![1]).toBeLessThan(one![1])
  })

  it('a plot shows every tenfold at the same distance on logarithmic axes', () => {
    const points = [1, 10, 100].map(size => ({ size, nanos: 500 * size }))
    const [one, ten, hundred] = dots(
      drawPlot({ ...data, log: 'both', lines: [{ label: 'entries', points }] }),
    )
    expect(hundred![0] - ten![0]).toBeCloseTo(ten![0] - one![0], 0)
    expect(hundred![1] - ten![1]).toBeCloseTo(ten![1] - one![1], 0)
  })

  it('a plot names its axes, its sizes and its times', () => {
    const svg = drawPlot(data)
    for (const text of ['Policies in one step', 'policies', '1', '2', '4', '500 ns', '1.5 µs'])
      expect(svg).toContain(`>${text}</text>`)
  })

  it('a plot names its lines if it has several', () => {
    const [line] = data.lines
    const svg = drawPlot({ ...data, lines: [line!, { ...line!, label: 'bare loop' }] })
    expect(svg).toContain('>bare loop</text>')
  })

  it('a plot has another colour for a dark page for each colour of a light one', () => {
    const [, light = '', dark = ''] =
      /<style>([\s\S]*)@media\(prefers-color-scheme:dark\)\{([\s\S]*)\}<\/style>/.exec(drawPlot(data)) ?? []
    const onLight = coloursOf(light)
    const onDark = coloursOf(dark)
    expect(onLight.size).toBeGreaterThan(5)
    expect([...onDark.keys()]).toEqual([...onLight.keys()])
    for (const [selector, colour] of onDark) expect(colour, selector).not.toBe(onLight.get(selector))
  })
})
