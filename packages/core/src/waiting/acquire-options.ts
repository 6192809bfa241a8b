import { describe, HaltError } from '../base/errors.ts'
import { type Duration, toMicros } from '../base/duration.ts'
import { checkNames, namesOf } from '../base/options-check.ts'
import { type CheckOptions, checkOptionValues } from '../check/check-options.ts'

/** A signal that ends a wait. `AbortSignal` is one. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason?: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Options of a caller that waits for its turn. */
export interface AcquireOptions<R = unknown> extends Pick<
  CheckOptions<R>,
  'cost' | 'policy' | 'also' | 'ip'
> {
  /** The longest wait. A caller that would wait longer is refused at once. From 1 ms to 24 hours. Default `"30s"`. */
  readonly maxWait?: Duration | undefined
  /** Ends the wait. The call then rejects with the signal's reason, and its place is given back. */
  readonly signal?: AbortSignalLike | undefined
}

const OPTIONS = namesOf<AcquireOptions>({
  cost: true,
  policy: true,
  also: true,
  ip: true,
  maxWait: true,
  signal: true,
})
const DEFAULT_WAIT: Duration = '30s'
const LONGEST_WAIT = 86_400e6

/**
 * Checks the options of a caller that waits.
 *
 * @throws HaltError `HALT_E_COST`, `HALT_E_MAX_WAIT`, `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`
 */
export function checkAcquireOptions(options: AcquireOptions<never>): void {
  checkNames(options as Readonly<Record<string, unknown>>, OPTIONS, 'The call')
  checkOptionValues(options)
  const { signal } = options
  const given = signal as Partial<AbortSignalLike> | null | undefined
  if (given === undefined || typeof given?.addEventListener === 'function') return
  throw new HaltError(
    'HALT_E_OPTION',
    `signal is ${describe(signal)}.`,
    'Give the signal of an AbortController, or AbortSignal.timeout(ms).',
  )
}

/**
 * Reads the longest wait, in microseconds.
 *
 * @throws HaltError `HALT_E_MAX_WAIT` for a value that is not a duration from 1 ms to 24 hours
 */
export function readMaxWait(maxWait: unknown = DEFAULT_WAIT): number {
  const micros = toMicros(maxWait)
  if (micros >= 1000 && micros <= LONGEST_WAIT) return micros
  throw new HaltError(
    'HALT_E_MAX_WAIT',
    `maxWait is ${describe(maxWait)}, not a duration from 1 ms to 24 hours.`,
    'Give seconds as a number (30) or a decimal with a unit ("500ms", "30s", "5m").',
  )
}
