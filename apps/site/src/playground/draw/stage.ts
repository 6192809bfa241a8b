import type { Simulation } from '../simulation.ts'
import type { Side } from '../side.ts'
import { axisOf, drawAxis } from './axis.ts'
import { drawLane, LANE, type Lane } from './lane.ts'
import { penOf } from './pen.ts'
import { drawRequests } from './requests.ts'

const REQUESTS = 130
const SECONDS = 22

/** The height of a stage with so many policies, in CSS pixels. */
export function stageHeight(policies: number): number {
  return REQUESTS + policies * LANE + SECONDS
}

/** Draws one side: its requests, and a lane for each policy below. */
export function drawStage(
  canvas: HTMLCanvasElement,
  { now, span }: Simulation,
  side: Side,
  lanes: readonly Lane[],
): void {
  const pen = penOf(canvas)
  if (pen === undefined) return
  const axis = axisOf(pen, now, span)
  drawRequests(pen, axis, side.history, REQUESTS)
  for (const [i, lane] of lanes.entries()) drawLane(pen, axis, lane, REQUESTS + i * LANE)
  drawAxis(pen, axis)
}
