import { describe, HaltError } from '../base/errors.ts'
import { isPromise } from '../base/promises.ts'
import { fromCaller } from '../base/warnings.ts'
import { type Reference, referTo } from '../base/weak-list.ts'
import type { Hook, Telemetry, ObservedStore } from '../check/telemetry.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import { call, type Listener } from './notifier.ts'

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

const MAX_STORES = 100

/** The stores that a telemetry has seen, so that it can read how many counters they hold. It holds them weakly. */
export class ObservedStores {
  #stores: Reference<ObservedStore>[] = []

  /** Adds a store once. Keeps at most 100 living stores, so that limiters made per request do not fill the memory. */
  add(store: ObservedStore): void {
    const present = this.#alive()
    if (present.length < MAX_STORES && !present.includes(store)) this.#stores.push(referTo(store))
  }

  /** How many counters the stores of each kind hold together. Stores without a `size` are left out. */
  sizes(): Map<string, number> {
    const sizes = new Map<string, number>()
    for (const { kind, size } of this.#alive().map(capabilitiesOf)) {
      const count = size()
      if (count !== undefined) sizes.set(kind, (sizes.get(kind) ?? 0) + count)
    }
    return sizes
  }

  #alive(): ObservedStore[] {
    this.#stores = this.#stores.filter(ref => ref.deref() !== undefined)
    return this.#stores.map(ref => ref.deref()).filter(store => store !== undefined)
  }
}
