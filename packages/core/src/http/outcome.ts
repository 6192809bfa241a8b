import type { Decision } from '../check/decision.ts'
import type { Headers } from './dialects.ts'
import type { HeaderWriter } from './headers.ts'
import type { RefusalBody } from './refusal.ts'

/** What an adapter does with a request. */
export interface Outcome {
  /** Go on, or answer with what follows. */
  readonly pass: boolean
  /** Undefined when the request was not looked at: skipped, a preflight. */
  readonly decision: Decision | undefined
  readonly status: number
  /** To be set on the response, passed or not. */
  readonly headers: Headers
  /** The body of a refusal. */
  readonly body: RefusalBody | undefined
  /** Whether this pass made the charge: not when an earlier mount of the same limiter did. */
  readonly charged: boolean
  /** Whether the decision is the tightest of the request so far: what `req.halt` and the headers are to show. */
  readonly binding: boolean
  /** Headers of looser guards before that these do not replace: to be taken off the response. */
  readonly stale?: readonly string[]
}

const NONE: Headers = Object.freeze({})

/** The outcome of a request that was not looked at. */
export const PASS: Outcome = Object.freeze({
  pass: true,
  decision: undefined,
  status: 200,
  headers: NONE,
  body: undefined,
  charged: false,
  binding: false,
})

/** The outcome of an admitted request; only a binding decision shows in headers. */
export function passed(decision: Decision, write: HeaderWriter, binding: boolean, charged: boolean): Outcome {
  const headers = binding ? write(decision) : NONE
  return { pass: true, decision, status: 200, headers, body: undefined, charged, binding }
}

/** How a guard refuses a decision. */
export type Refuse = (decision: Decision) => Outcome
