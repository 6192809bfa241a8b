import type { PolicyExplanation } from '@halt/core'

import type { Levels } from '../levels.ts'
import type { Axis } from './axis.ts'
import type { Pen } from './pen.ts'

/** The state of one policy for the watched client. */
export interface Lane {
  readonly explained: PolicyExplanation
  /** The most units that the policy has left at any time. */
  readonly capacity: number
  /** Microseconds. */
  readonly window: number
  /** The number of sub-windows of a sliding window. */
  readonly precision: number
  readonly levels: Levels
}

/** The height of a lane in CSS pixels. */
export const LANE = 58
const TITLE = 16

/** Draws the units that a policy has left, its window, and the instant at which it admits the next request. */
export function drawLane(pen: Pen, axis: Axis, lane: Lane, top: number): void {
  const { context, width } = pen
  const [high, low] = [top + TITLE + 4, top + LANE - 4]
  const y = (left: number): number => low - (Math.max(0, left) / lane.capacity) * (low - high)
  context.strokeStyle = pen.colour('line')
  context.lineWidth = 1
  context.strokeRect(0.5, high - 0.5, width - 1, low - high + 1)
  drawLevels(pen, axis, lane, y, low)
  drawFuture(pen, axis, lane, y, high, low)
  drawTitle(pen, lane, top + TITLE - 3)
}

/** Draws what time alone gives back. Places of requests in flight come back when the requests end, which nobody knows. */
function drawFuture(
  pen: Pen,
  axis: Axis,
  lane: Lane,
  y: (left: number) => number,
  high: number,
  low: number,
): void {
  const { algorithm } = lane.explained
  if (algorithm === 'concurrency') return
  if (algorithm === 'token-bucket') drawRefill(pen, axis, lane, y)
  else drawWindow(pen, axis, lane, high, low)
  drawWait(pen, axis, lane, high, low)
}

function drawTitle({ context, width, colour }: Pen, { explained, capacity }: Lane, y: number): void {
  const { policy, algorithm, before = capacity, verdict } = explained
  context.fillStyle = colour('text')
  context.textAlign = 'left'
  context.fillText(`${policy}, ${algorithm}`, 1, y)
  context.textAlign = 'right'
  const cooling = verdict?.reason === 'blocked' ? 'cool-down, ' : ''
  context.fillText(`${cooling}${before} of ${capacity} left`, width - 1, y)
}

function drawLevels(
  { context, colour }: Pen,
  axis: Axis,
  { levels }: Lane,
  y: (left: number) => number,
  low: number,
): void {
  const [first] = levels.points
  if (first === undefined) return
  context.beginPath()
  context.moveTo(axis.x(first[0]), low)
  for (const [at, left] of levels.points) context.lineTo(axis.x(at), y(left))
  context.lineTo(axis.x(levels.points.at(-1)?.[0] ?? 0), low)
  context.fillStyle = colour('level')
  context.fill()
}

/** The way back to a full bucket, if nobody asks. */
function drawRefill(
  { context, colour }: Pen,
  axis: Axis,
  { explained, capacity }: Lane,
  y: (left: number) => number,
): void {
  const full = axis.now + waitFor(explained, capacity)
  if (full <= axis.now) return
  context.strokeStyle = colour('admitted')
  context.setLineDash([4, 4])
  context.beginPath()
  context.moveTo(axis.x(axis.now), y(explained.before ?? 0))
  context.lineTo(axis.x(full), y(capacity))
  context.stroke()
  context.setLineDash([])
}

/** A fixed window from its start to its end, or a sliding one that ends now, with its sub-windows. */
function drawWindow({ context, colour }: Pen, axis: Axis, lane: Lane, high: number, low: number): void {
  const { explained, window, precision, capacity } = lane
  const isSliding = explained.algorithm === 'sliding-window'
  // All units of a fixed window come back at its end.
  const wait = waitFor(explained, capacity)
  if (!isSliding && wait === 0) return
  const end = isSliding ? axis.now : axis.now + wait
  const [left, right] = [axis.x(Math.max(axis.from, end - window)), axis.x(end)]
  context.fillStyle = colour('window')
  context.fillRect(left, high, right - left, low - high)
  context.strokeStyle = colour('admitted')
  context.strokeRect(left, high, right - left, low - high)
  if (!isSliding) return
  const step = window / precision
  context.beginPath()
  for (let at = Math.ceil((end - window) / step) * step; at < end; at += step) {
    if (at < axis.from) continue
    context.moveTo(axis.x(at), low - 6)
    context.lineTo(axis.x(at), low)
  }
  context.stroke()
}

/** The time until the policy admits a request again. */
function drawWait(
  { context, colour }: Pen,
  axis: Axis,
  { explained }: Lane,
  high: number,
  low: number,
): void {
  const wait = waitFor(explained, 1)
  if (!(wait > 0)) return
  const [left, right] = [axis.x(axis.now), axis.x(Math.min(axis.until, axis.now + wait))]
  context.fillStyle = colour('wait')
  context.fillRect(left, high, right - left, low - high)
}

/** How long a cost has to wait, in microseconds. */
function waitFor({ waits }: PolicyExplanation, cost: number): number {
  return (waits.find(wait => wait.cost >= cost)?.seconds ?? 0) * 1e6
}
