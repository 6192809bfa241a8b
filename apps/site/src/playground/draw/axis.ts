import type { Pen } from './pen.ts'

/** Maps instants to the width of the picture. `now` moves no further than three quarters, so that the future has a quarter. */
export interface Axis {
  readonly now: number
  readonly from: number
  readonly until: number
  /** The place of an instant in CSS pixels. */
  x(at: number): number
}

/** @param past the shown past in microseconds; the future is a third of it */
export function axisOf({ width }: Pen, now: number, past: number): Axis {
  const from = Math.max(0, now - past)
  const until = from + (past * 4) / 3
  return { now, from, until, x: at => ((at - from) / (until - from)) * width }
}

/** Draws the line of the present, and the seconds below. */
export function drawAxis(pen: Pen, axis: Axis): void {
  const { context, width, height } = pen
  context.fillStyle = pen.colour('soft')
  context.textAlign = 'center'
  const step = niceStep((axis.until - axis.from) / Math.max(2, width / 90))
  for (let at = Math.ceil(axis.from / step) * step; at <= axis.until; at += step)
    if (axis.x(at) > 16 && axis.x(at) < width - 24)
      context.fillText(`${round(at / 1e6)} s`, axis.x(at), height - 5)
  context.strokeStyle = pen.colour('soft')
  context.setLineDash([3, 3])
  context.beginPath()
  context.moveTo(axis.x(axis.now), 0)
  context.lineTo(axis.x(axis.now), height - 18)
  context.stroke()
  context.setLineDash([])
}

/** The smallest of 1, 2, 5, 10, 20, … that is at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5].find(factor => factor * power >= least) ?? 10)
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
