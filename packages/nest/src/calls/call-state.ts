import type { Guard } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import type { HandlerResult } from '../options/options.ts'

/** Listens to the end of an admitted call whose transport has no response to watch. */
export interface EndListener {
  /** To be called when the handler has given its result. */
  decided(result: HandlerResult): void
  /** To be called when the call has ended. */
  leave(): void
}

/** The state of a decided call, which its guards and its interceptor share. */
export interface CallState {
  endListener: EndListener | undefined
  /** The guard that decided it. */
  guard: Pick<Guard, 'refuse'> | undefined
}

const CALL_STATE = Symbol.for('halt.nest.call-state')
type Marked = { [CALL_STATE]?: CallState }

/**
 * The object that holds the state of a call. Guards share a context, but interceptors get another one over the same
 * arguments, so the arguments hold it. On HTTP no interceptor reads it, so the context holds it, because adding a property to
 * a context takes a tenth of the time that adding one to a request takes.
 */
function holderOf(context: ExecutionContext): object {
  return context.getType() === 'http' ? context : context.getArgs<unknown[]>()
}

/** The state of a call; undefined before {@link beginCall}. */
export function callStateOf(context: ExecutionContext): CallState | undefined {
  return (holderOf(context) as Marked)[CALL_STATE]
}

/** Makes the state of a call; undefined if it has one already, because another guard has decided the call. */
export function beginCall(context: ExecutionContext): CallState | undefined {
  const holder = holderOf(context) as Marked
  return holder[CALL_STATE] === undefined
    ? (holder[CALL_STATE] = { endListener: undefined, guard: undefined })
    : undefined
}

/** Takes the end listener of an admitted call, so that only one interceptor calls it. */
export function takeEndListener(context: ExecutionContext): EndListener | undefined {
  const state = callStateOf(context)
  const endListener = state?.endListener
  if (state !== undefined) state.endListener = undefined
  return endListener
}
