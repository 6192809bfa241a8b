import { HaltError } from '@halt/core'
import type { MeterProvider } from '@opentelemetry/api'

/** Options of {@link OtelTelemetry}. */
export interface OtelTelemetryOptions {
  /** The provider of the meter. Default: the global one at the first check, because the SDK may start after the limiter. */
  readonly meterProvider?: MeterProvider | undefined
  /**
   * The events that are added to the active span. `"refusals"` (default): refusals, requests that a policy in shadow would
   * have refused, decisions without the store, and its failures. `"all"`: all decisions too. `false`: none.
   */
  readonly spanEvents?: 'refusals' | 'all' | false | undefined
  /** A check that leaves no more than this share of the limit counts as near it, 0 to 1. Default 0.1. */
  readonly nearLimit?: number | undefined
  /** The number of policies that get attributes of their own; all others share `"other"`. Default 100. */
  readonly maxPolicies?: number | undefined
}

/** Checked options, with defaults. */
export interface CheckedOptions {
  readonly meterProvider: MeterProvider | undefined
  readonly spanEvents: 'refusals' | 'all' | false
  readonly nearLimit: number
  readonly maxPolicies: number
}

const NAMES = ['meterProvider', 'spanEvents', 'nearLimit', 'maxPolicies']

/** Checks the options and adds defaults. @throws HaltError `HALT_E_OPTION` */
export function checkOptions(options: OtelTelemetryOptions): CheckedOptions {
  const { meterProvider, spanEvents = 'refusals', nearLimit = 0.1, maxPolicies = 100, ...others } = options
  for (const name of Object.keys(others))
    throw wrong(`There is no option ${JSON.stringify(name)}.`, `The options are ${NAMES.join(', ')}.`)
  if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function')
    throw wrong(
      'meterProvider is not a MeterProvider.',
      'Give one of the OpenTelemetry SDK, or leave it out.',
    )
  if (!['refusals', 'all', false].includes(spanEvents))
    throw wrong(`spanEvents is ${JSON.stringify(spanEvents)}.`, 'Give "refusals", "all" or false.')
  if (!(typeof nearLimit === 'number' && nearLimit >= 0 && nearLimit <= 1))
    throw wrong(`nearLimit is ${JSON.stringify(nearLimit)}.`, 'Give a share of the limit, from 0 to 1.')
  if (!(Number.isInteger(maxPolicies) && maxPolicies >= 1))
    throw wrong(`maxPolicies is ${JSON.stringify(maxPolicies)}.`, 'Give a whole number above 0.')
  return { meterProvider, spanEvents, nearLimit, maxPolicies }
}

function wrong(message: string, fix: string): HaltError {
  return new HaltError('HALT_E_OPTION', message, fix)
}
