import type { Guard } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import type { HandlerResult } from '../options/options.ts'

/** What is told of an admitted call whose transport has no response to watch. */
export interface EndListener {
  /** The handler is done: what came of it. */
  decided(result: HandlerResult): void
  /** The call is over. */
  leave(): void
}

/** A call that was decided: by it the guards and the interceptor of one call find each other. */
export interface CallState {
  endListener: EndListener | undefined
  /** The guard that decided it. */
  guard: Pick<Guard, 'refuse'> | undefined
}

const CALL_STATE = Symbol.for('halt.nest.call-state')
type Marked = { [CALL_STATE]?: CallState }

/**
 * Where a call's passage is kept. Guards share a context; interceptors get one of their own, over the same arguments. An
 * HTTP route has no interceptor that asks, and a context takes a property in a tenth of the time that a request does.
 */
function holderOf(context: ExecutionContext): object {
  return context.getType() === 'http' ? context : context.getArgs<unknown[]>()
}

/** The passage of a call; undefined before it begins. */
export function callStateOf(context: ExecutionContext): CallState | undefined {
  return (holderOf(context) as Marked)[CALL_STATE]
}

/** Begins the passage of a call; undefined when it has one already: another guard has decided it. */
export function beginCall(context: ExecutionContext): CallState | undefined {
  const holder = holderOf(context) as Marked
  return holder[CALL_STATE] === undefined
    ? (holder[CALL_STATE] = { endListener: undefined, guard: undefined })
    : undefined
}

/** Who is to be told of the end of an admitted call: once, by who takes it. */
export function takeEndListener(context: ExecutionContext): EndListener | undefined {
  const state = callStateOf(context)
  const endListener = state?.endListener
  if (state !== undefined) state.endListener = undefined
  return endListener
}
