import type { Hook as HookOf, Telemetry } from './telemetry.ts'

const HOOKS = [
  'onCheck',
  'onAllowed',
  'onBlocked',
  'onExempt',
  'onQuotaCheck',
  'onQuotaExceeded',
  'onViolation',
  'onPenaltyApplied',
  'onStoreError',
] as const

type Hook = (...args: unknown[]) => unknown

/**
 * Passes every hook on to several telemetries; one that throws does not keep the others from hearing.
 *
 * @example
 * telemetry: new CompositeTelemetry(new LoggingTelemetry(pino()), new MetricsTelemetry(statsd))
 */
export class CompositeTelemetry implements Telemetry {
  declare readonly onCheck?: HookOf<'onCheck'>
  declare readonly onAllowed?: HookOf<'onAllowed'>
  declare readonly onBlocked?: HookOf<'onBlocked'>
  declare readonly onExempt?: HookOf<'onExempt'>
  declare readonly onQuotaCheck?: HookOf<'onQuotaCheck'>
  declare readonly onQuotaExceeded?: HookOf<'onQuotaExceeded'>
  declare readonly onViolation?: HookOf<'onViolation'>
  declare readonly onPenaltyApplied?: HookOf<'onPenaltyApplied'>
  declare readonly onStoreError?: HookOf<'onStoreError'>

  constructor(...telemetries: readonly Telemetry[]) {
    for (const hook of HOOKS) {
      const heard = telemetries.filter(telemetry => telemetry[hook] !== undefined)
      if (heard.length > 0)
        (this as unknown as Record<string, Hook>)[hook] = (...args) => tell(heard, hook, args)
    }
  }
}

async function tell(
  telemetries: readonly Telemetry[],
  hook: (typeof HOOKS)[number],
  args: unknown[],
): Promise<void> {
  const results = await Promise.allSettled(
    telemetries.map(async telemetry => (telemetry[hook] as Hook)(...args)),
  )
  const failed = results.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
