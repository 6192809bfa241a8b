import { fromCaller } from '../base/call-site.ts'
import { describe } from '../base/describe.ts'
import { HaltError } from '../base/errors.ts'
import { call, type Listener } from './notifier.ts'
import type { Hook, Telemetry } from '../check/telemetry.ts'
import { isPromise } from '../base/promises.ts'

const HOOKS = Object.keys({
  onStore: true,
  onCheck: true,
  onAllowed: true,
  onBlocked: true,
  onExempt: true,
  onWaiting: true,
  onTurn: true,
  onLeave: true,
  onQuotaCheck: true,
  onQuotaExceeded: true,
  onQuotaThreshold: true,
  onViolation: true,
  onPenaltyApplied: true,
  onStoreError: true,
  onStoreRecovered: true,
} satisfies Record<keyof Telemetry, true>) as readonly (keyof Telemetry)[]

/**
 * Passes every hook call on to several telemetries. A failing telemetry does not affect the others.
 *
 * @example
 * telemetry: new CompositeTelemetry(new LoggingTelemetry(pino()), new MetricsTelemetry(statsd))
 */
export class CompositeTelemetry implements Telemetry {
  declare readonly onStore?: Hook<'onStore'>
  declare readonly onCheck?: Hook<'onCheck'>
  declare readonly onAllowed?: Hook<'onAllowed'>
  declare readonly onBlocked?: Hook<'onBlocked'>
  declare readonly onExempt?: Hook<'onExempt'>
  declare readonly onWaiting?: Hook<'onWaiting'>
  declare readonly onTurn?: Hook<'onTurn'>
  declare readonly onLeave?: Hook<'onLeave'>
  declare readonly onQuotaCheck?: Hook<'onQuotaCheck'>
  declare readonly onQuotaExceeded?: Hook<'onQuotaExceeded'>
  declare readonly onQuotaThreshold?: Hook<'onQuotaThreshold'>
  declare readonly onViolation?: Hook<'onViolation'>
  declare readonly onPenaltyApplied?: Hook<'onPenaltyApplied'>
  declare readonly onStoreError?: Hook<'onStoreError'>
  declare readonly onStoreRecovered?: Hook<'onStoreRecovered'>

  /** @param given the telemetries, as arguments or in one array */
  constructor(...given: readonly (Telemetry | readonly Telemetry[])[]) {
    const telemetries = given.flat() as Telemetry[]
    fromCaller(CompositeTelemetry, () => telemetries.forEach(check))
    for (const hook of HOOKS) {
      const listening = telemetries.filter(telemetry => telemetry[hook] !== undefined)
      if (listening.length > 0)
        (this as unknown as Record<string, Listener>)[hook] = (a, b, c) => callAll(listening, hook, a, b, c)
    }
  }
}

function check(telemetry: unknown): void {
  if (typeof telemetry === 'object' && telemetry !== null && !Array.isArray(telemetry)) return
  throw new HaltError(
    'HALT_E_OPTION',
    `CompositeTelemetry got ${describe(telemetry)}.`,
    'Give telemetries as arguments: new CompositeTelemetry(a, b).',
  )
}

// Returns a promise only if a hook returns one, because a promise per check would cost more than the counting.
function callAll(
  telemetries: readonly Telemetry[],
  hook: keyof Telemetry,
  a: unknown,
  b: unknown,
  c: unknown,
): unknown {
  let pending: PromiseLike<unknown>[] | undefined
  const errors: unknown[] = []
  for (const telemetry of telemetries) {
    try {
      const result = call(telemetry[hook] as Listener, telemetry, a, b, c)
      if (isPromise(result)) (pending ??= []).push(result)
    } catch (error) {
      errors.push(error)
    }
  }
  if (pending === undefined && errors.length === 0) return undefined
  return settle(pending ?? [], errors)
}

async function settle(pending: readonly PromiseLike<unknown>[], errors: unknown[]): Promise<void> {
  for (const result of await Promise.allSettled(pending))
    if (result.status === 'rejected') errors.push(result.reason)
  if (errors.length > 0) throw errors[0]
}
