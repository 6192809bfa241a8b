import type { Decision } from '../check/decision.ts'
import type { Headers } from './dialects.ts'
import type { HeaderWriter } from './headers.ts'
import type { RefusalBody } from './refusal.ts'

/** The result of a guard, which the adapter applies to the response. */
export interface Outcome {
  /** True: the request may go on. False: the adapter answers with the status, headers and body below. */
  readonly pass: boolean
  /** Undefined when the request was not checked, because it was skipped or is a preflight. */
  readonly decision: Decision | undefined
  readonly status: number
  /** Headers to set on the response, whether the request passed or not. */
  readonly headers: Headers
  /** The body of a refusal. */
  readonly body: RefusalBody | undefined
  /** Whether this guard charged the request. False when an earlier mount of the same limiter charged it. */
  readonly charged: boolean
  /** Whether the decision is the tightest of the request so far. `req.halt` and the headers show the tightest decision. */
  readonly binding: boolean
  /** Headers of earlier, looser guards that `headers` does not replace. The adapter removes them from the response. */
  readonly stale?: readonly string[]
}

const NONE: Headers = Object.freeze({})

/** The outcome of a request that was not checked. */
export const UNCHECKED: Outcome = Object.freeze({
  pass: true,
  decision: undefined,
  status: 200,
  headers: NONE,
  body: undefined,
  charged: false,
  binding: false,
})

/** Makes the outcome of an admitted request. It has headers only if its decision is binding. */
export function admitted(
  decision: Decision,
  write: HeaderWriter,
  binding: boolean,
  charged: boolean,
): Outcome {
  const headers = binding ? write(decision) : NONE
  return { pass: true, decision, status: 200, headers, body: undefined, charged, binding }
}

/** Makes the outcome of a refused decision. */
export type Refuse = (decision: Decision) => Outcome
