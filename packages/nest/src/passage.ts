import type { Guard } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import type { HandlerResult } from './options.ts'

/** What is to be done when an admitted call ends. */
export type Leave = (result?: HandlerResult) => void

/** A call that was decided: by it the guard, the interceptor and the handler of one call find each other. */
export interface Passage {
  readonly handler: unknown
  leave: Leave | undefined
  /** The guard that decided it. */
  gate: Pick<Guard, 'refuse'> | undefined
}

const PASSAGE = Symbol.for('halt.nest.passage')
type Marked = { [PASSAGE]?: Passage }

/**
 * Where a call's passage is kept. Guards and interceptors get contexts of their own, but over the same arguments; with
 * HTTP, over the same request.
 */
export function placeOf(context: ExecutionContext): object | undefined {
  const args = context.getArgs<unknown[]>()
  return context.getType() === 'http' ? (args[0] as object) : args
}

/** The passage kept at a place. */
export function passageAt(place: object | undefined): Passage | undefined {
  return (place as Marked | undefined)?.[PASSAGE]
}

/** Begins the passage of a call; undefined when it has one already: another guard or interceptor has decided it. */
export function begin(context: ExecutionContext): Passage | undefined {
  const place = placeOf(context) as Marked | undefined
  const handler = context.getHandler()
  const earlier = passageAt(place)
  if (earlier !== undefined && earlier.handler === handler) return undefined
  const passage: Passage = { handler, leave: undefined, gate: undefined }
  if (place !== undefined) place[PASSAGE] = passage
  return passage
}

/** What is to be done when an admitted call ends: once, by who takes it. */
export function takeLeave(context: ExecutionContext): Leave | undefined {
  const passage = passageAt(placeOf(context))
  const leave = passage?.leave
  if (passage !== undefined) passage.leave = undefined
  return leave
}
