import { HaltError } from '@halt/core'
import { type Registry, register as globalRegistry } from 'prom-client'

import { BUCKETS } from './durations.ts'

/** Options of {@link PrometheusTelemetry}. */
export interface PrometheusTelemetryOptions {
  /** The registry of the metrics. Default: prom-client's global registry. */
  readonly register?: Registry | undefined
  /** The start of the names of all metrics. Default `"halt_"`, which the dashboard and the alerts expect. */
  readonly prefix?: string | undefined
  /** Upper bounds of the buckets of `check_duration_seconds`, in seconds, ascending. Default: from 10 µs to 1 s. */
  readonly buckets?: readonly number[] | undefined
  /** A check that leaves no more than this share of the limit counts as near it, 0 to 1. Default 0.1. */
  readonly nearLimit?: number | undefined
  /** The number of policies that get labels of their own; all others share `"other"`. Default 100. */
  readonly maxPolicies?: number | undefined
}

/** Checked options, with defaults. */
export type CheckedOptions = {
  readonly [K in keyof PrometheusTelemetryOptions]-?: NonNullable<PrometheusTelemetryOptions[K]>
}

const NAMES = ['register', 'prefix', 'buckets', 'nearLimit', 'maxPolicies']

/** Checks the options and adds defaults. @throws HaltError `HALT_E_OPTION` */
export function checkOptions(options: PrometheusTelemetryOptions): CheckedOptions {
  const {
    register = globalRegistry,
    prefix = 'halt_',
    buckets = BUCKETS,
    nearLimit = 0.1,
    maxPolicies = 100,
    ...others
  } = options
  if (typeof (options as { registerMetric?: unknown }).registerMetric === 'function')
    throw wrong('PrometheusTelemetry got a registry instead of options.', 'Give { register: registry }.')
  for (const name of Object.keys(others))
    throw wrong(`There is no option ${JSON.stringify(name)}.`, `The options are ${NAMES.join(', ')}.`)
  if (typeof register?.registerMetric !== 'function')
    throw wrong('register is not a registry.', 'Give a Registry of prom-client, or leave it out.')
  if (typeof prefix !== 'string' || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix))
    throw wrong(
      `prefix is ${JSON.stringify(prefix)}.`,
      'Give a string like "halt_": letters, digits, _ and :.',
    )
  if (!isAscending(buckets))
    throw wrong(
      `buckets is ${JSON.stringify(buckets)}.`,
      'Give seconds above 0, each more than the one before.',
    )
  if (!(typeof nearLimit === 'number' && nearLimit >= 0 && nearLimit <= 1))
    throw wrong(`nearLimit is ${JSON.stringify(nearLimit)}.`, 'Give a share of the limit, from 0 to 1.')
  if (!(Number.isInteger(maxPolicies) && maxPolicies >= 1))
    throw wrong(`maxPolicies is ${JSON.stringify(maxPolicies)}.`, 'Give a whole number above 0.')
  return { register, prefix, buckets, nearLimit, maxPolicies }
}

/** The error for a name that another metric of the registry has. */
export function nameTaken(name: string): HaltError {
  return new HaltError(
    'HALT_E_METRIC_TAKEN',
    `The registry holds another metric named ${name}.`,
    "Give new PrometheusTelemetry({ prefix: 'api_halt_' }), or remove the other metric.",
  )
}

function wrong(message: string, fix: string): HaltError {
  return new HaltError('HALT_E_OPTION', message, fix)
}

function isAscending(bounds: unknown): bounds is readonly number[] {
  return (
    Array.isArray(bounds) &&
    bounds.length > 0 &&
    bounds.every((bound, i) => Number.isFinite(bound) && bound > (bounds[i - 1] ?? 0))
  )
}
