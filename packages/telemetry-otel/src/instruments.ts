import type { ObservedStores } from '@halt/core'
import type { Counter, Histogram, Meter, UpDownCounter } from '@opentelemetry/api'

// In seconds. A check in memory takes microseconds, one over a network tenths of a millisecond or more.
const BOUNDS = [0.000_01, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

// In seconds. A caller waits 30 s at most, unless told otherwise.
const WAIT_BOUNDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]

/** The instruments of Halt in one meter. */
export class Instruments {
  readonly checks: Counter
  readonly blocked: Counter
  readonly nearLimit: Counter
  readonly scarce: Counter
  readonly shadow: Counter
  readonly exempt: Counter
  readonly degraded: Counter
  readonly waiting: UpDownCounter
  readonly left: Counter
  readonly wait: Histogram
  readonly quotaChecks: Counter
  readonly quotaThresholds: Counter
  readonly violations: Counter
  readonly penalties: Counter
  readonly storeErrors: Counter
  readonly storeRecoveries: Counter
  readonly duration: Histogram
  /** The units left after the last check, by the label of the policy. */
  readonly remaining: Map<string, number> = new Map()

  constructor(meter: Meter, stores: ObservedStores, storeLabel: (kind: string) => string) {
    const counter = (name: string, unit: string, description: string): Counter =>
      meter.createCounter(name, { unit, description })
    this.checks = counter('halt.checks', '{check}', 'Checks, by the policy that decided.')
    this.blocked = counter('halt.blocked', '{check}', 'Checks that were refused.')
    this.nearLimit = counter('halt.near_limit', '{check}', 'Checks that were allowed and left little.')
    this.scarce = counter('halt.scarce', 's', 'Seconds in which a tenant was refused in favour of others.')
    this.shadow = counter('halt.shadow', '{check}', 'Verdicts of policies in shadow.')
    this.exempt = counter('halt.exempt', '{request}', 'Requests that no policy counted.')
    this.degraded = counter('halt.degraded', '{check}', 'Checks decided without the store.')
    this.waiting = meter.createUpDownCounter('halt.line.waiting', {
      unit: '{caller}',
      description: 'Callers of this process that wait.',
    })
    this.left = counter('halt.line.left', '{caller}', 'Callers that waited and left without a turn.')
    this.wait = meter.createHistogram('halt.line.wait', {
      unit: 's',
      description: 'How long callers waited whose turn came.',
      advice: { explicitBucketBoundaries: WAIT_BOUNDS },
    })
    this.quotaChecks = counter('halt.quota.checks', '{check}', 'Checks of quotas.')
    this.quotaThresholds = counter('halt.quota.thresholds', '{key}', 'Keys that reached a share of a quota.')
    this.violations = counter('halt.violations', '{violation}', 'Violations that were scored.')
    this.penalties = counter('halt.penalties', '{penalty}', 'Penalties that began.')
    this.storeErrors = counter('halt.store.errors', '{error}', 'Failures of stores.')
    this.storeRecoveries = counter('halt.store.recoveries', '{outage}', 'Outages of stores that are over.')
    this.duration = meter.createHistogram('halt.check.duration', {
      unit: 's',
      description: 'The duration of a check.',
      advice: { explicitBucketBoundaries: BOUNDS },
    })
    meter
      .createObservableGauge('halt.remaining', {
        unit: '{unit}',
        description: 'Units left after the last check of any key.',
      })
      .addCallback(result => {
        for (const [policy, left] of this.remaining) result.observe(left, { 'halt.policy': policy })
      })
    meter
      .createObservableGauge('halt.store.keys', {
        unit: '{key}',
        description: 'Counters that stores in this process hold.',
      })
      .addCallback(result => {
        for (const [kind, size] of stores.sizes()) result.observe(size, { 'halt.store': storeLabel(kind) })
      })
  }
}
