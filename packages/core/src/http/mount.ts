import { HaltError } from '../base/errors.ts'
import type { Decision } from '../check/decision.ts'
import type { PolicyDirectory } from './dialects.ts'
import type { AnswerOptions } from './guard-options.ts'
import { compileDialect } from './headers.ts'
import { type Mount, type Outcome, GuardOutcome } from './outcome.ts'
import { lastPassed, notePassed, holderOf } from './passed-guards.ts'
import { refusalBody, statusOf } from './refusal.ts'

/**
 * Makes the parts of a guard that its outcomes need, its way to refuse among them.
 *
 * @throws HaltError `HALT_E_HEADERS` for an unknown dialect
 */
export function makeMount(
  limiter: Mount['limiter'],
  directory: PolicyDirectory,
  { statusCode = 429, errorFormat = 'json', headers: dialect = 'standard' }: AnswerOptions,
): Mount {
  const mount: Mount = {
    limiter,
    dialect,
    write: compileDialect(dialect, directory),
    refuse(decision, before, isByHandler = false) {
      const status = statusOf(decision, statusCode)
      const body = refusalBody(decision, errorFormat, status)
      // A handler that decided by itself is not another guard of this limiter.
      const own = isByHandler ? { ...mount, limiter: undefined } : mount
      return new GuardOutcome(own, decision, before, true, false, { status, body })
    },
  }
  return mount
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
  const { refuse } = last?.mount ?? BY_DEFAULT
  const outcome = refuse(decision, last, true)
  notePassed(holder, outcome)
  return outcome
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

const BY_DEFAULT: Mount = makeMount(
  undefined,
  { policyNamed: () => undefined, partitionOf: () => '', warn: () => {} },
  {},
)
