import { HaltError } from '../base/errors.ts'
import type { Decision } from '../check/decision.ts'
import { headerWriter, type HeaderWriter } from './headers.ts'
import type { Outcome, Refuse } from './outcome.ts'
import { lastPassed, notePassed, staleHeaders, holderOf, type PassedGuard } from './passed-guards.ts'
import { type ErrorFormat, isUnavailable, refusalBody } from './refusal.ts'

/** Options of a {@link Refuse} function. */
export interface RefusalOptions {
  readonly statusCode?: number | undefined
  readonly errorFormat?: ErrorFormat | undefined
}

/** Makes the function by which a guard refuses. */
export function makeRefuse(
  write: HeaderWriter,
  { statusCode = 429, errorFormat = 'json' }: RefusalOptions,
): Refuse {
  return decision => {
    const status = isUnavailable(decision) ? 503 : statusCode
    const headers = { ...write(decision), 'Cache-Control': 'no-store' }
    const body = refusalBody(decision, errorFormat, status)
    return { pass: false, decision, status, headers, body, charged: false, binding: true }
  }
}

/**
 * The refusal of a decision that a handler made by itself. The last guard that the request passed gives its format, else the
 * defaults do.
 *
 * @param requestObject the object that `Guard.enter` got
 * @throws HaltError `HALT_E_OPTION` for a value that is not a request, or a decision that is not a refusal
 */
export function refusalFor(requestObject: object, decision: Decision): Outcome {
  checkRefusal(requestObject, decision)
  const holder = holderOf(requestObject)
  const last = lastPassed(holder)
  const refuse = last?.refuse ?? refuseByDefault
  const outcome = refuse(decision)
  notePassed(holder, { limiter: undefined, decision, refuse, shown: outcome.headers, before: last })
  return last === undefined ? outcome : withStale(outcome, last)
}

function checkRefusal(requestObject: unknown, decision: Decision | undefined): void {
  const given =
    typeof requestObject !== 'object' || requestObject === null
      ? 'no request'
      : !Array.isArray(decision?.verdicts)
        ? 'no decision'
        : decision?.allowed === true
          ? 'a decision that allows the request'
          : undefined
  if (given === undefined) return
  const fix = 'Write if (!decision.allowed) return sendLimited(…, decision), as the adapter’s README shows.'
  throw new HaltError('HALT_E_OPTION', `sendLimited got ${given}.`, fix)
}

/** Adds to an outcome the headers of earlier guards that must be removed. */
export function withStale(outcome: Outcome, before: PassedGuard): Outcome {
  const stale = staleHeaders(before, outcome.headers)
  return stale.length === 0 ? outcome : { ...outcome, stale }
}

const refuseByDefault: Refuse = makeRefuse(
  headerWriter('standard', { policyNamed: () => undefined, partitionOf: () => '', warn: () => {} }),
  {},
)
