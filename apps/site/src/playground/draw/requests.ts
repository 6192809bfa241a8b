import type { History } from '../history.ts'
import type { Axis } from './axis.ts'
import type { Pen } from './pen.ts'

const LARGEST = 9
/** Below this size, single requests cannot be told apart, and a bar stands for them. */
const SMALLEST = 3

/** Draws the requests of the shown past: admitted ones filled from below, refused ones hollow above them. */
export function drawRequests(pen: Pen, axis: Axis, history: History, height: number): void {
  const stretches = [...history.stretches()]
  const most = Math.max(1, ...stretches.map(([, { admitted, refused }]) => admitted + refused))
  const wide = axis.x(axis.from + history.length)
  const size = Math.min(LARGEST, (height - 8) / most)
  const draw = size < SMALLEST ? drawBar : drawDots
  for (const [from, { admitted, refused }] of stretches) {
    const x = axis.x(from)
    draw(pen, x, wide, height, size, admitted, refused)
  }
}

type Draw = (
  pen: Pen,
  x: number,
  wide: number,
  height: number,
  size: number,
  admitted: number,
  refused: number,
) => void

const drawDots: Draw = ({ context, colour }, x, wide, height, size, admitted, refused) => {
  const radius = Math.max(1.2, Math.min(size, wide) / 2 - 1)
  const circle = (n: number): void => {
    context.moveTo(x + wide / 2 + radius, height - (n + 0.5) * size)
    context.arc(x + wide / 2, height - (n + 0.5) * size, radius, 0, 2 * Math.PI)
  }
  context.beginPath()
  for (let n = 0; n < admitted; n++) circle(n)
  context.fillStyle = colour('admitted')
  context.fill()
  context.beginPath()
  for (let n = admitted; n < admitted + refused; n++) circle(n)
  context.strokeStyle = colour('refused')
  context.lineWidth = 1.5
  context.stroke()
}

const drawBar: Draw = ({ context, colour }, x, wide, height, size, admitted, refused) => {
  const width = Math.max(1, wide - 0.5)
  context.fillStyle = colour('admitted')
  context.fillRect(x, height - admitted * size, width, admitted * size)
  context.fillStyle = colour('refused')
  context.fillRect(x, height - (admitted + refused) * size, width, refused * size)
}
