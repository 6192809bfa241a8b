import { type Duration, parseDuration } from '../base/duration.ts'
import { checkNames, fail } from '../base/options-check.ts'

/** Options of the end of a limiter. */
export interface CloseOptions {
  /**
   * How long callers that wait still have their turns, from 1 ms to 24 hours. Default: their places are given back at once.
   */
  readonly finishLine?: Duration | undefined
}

/** 24 hours, in microseconds: no caller waits longer. */
const LONGEST_FINISH = 86_400e6

/**
 * Reads how long the line is finished, in microseconds; 0 if it is not.
 *
 * @throws HaltError `HALT_E_DURATION`, `HALT_E_UNKNOWN_FIELD`
 */
export function readFinish(options: CloseOptions): number {
  checkNames(options as Readonly<Record<string, unknown>>, ['finishLine'], 'close()')
  const { finishLine } = options
  if (finishLine === undefined) return 0
  const micros = parseDuration(finishLine, 'finishLine')
  return micros <= LONGEST_FINISH
    ? micros
    : fail('HALT_E_DURATION', 'finishLine is above 24 hours.', 'Give less, because no caller waits longer.')
}
