import { ObservedStores, OnceASecond } from '@halt/core'
import type { Registry } from 'prom-client'

import { DurationFamily, WAIT_BUCKETS } from './durations.ts'
import { asMetric, Family, type FamilyOptions, type Publisher } from './family.ts'
import { PolicyTable } from './policy-table.ts'
import { nameTaken } from './options.ts'

/** Options of a {@link Board}. */
export interface BoardOptions {
  readonly prefix: string
  readonly buckets: readonly number[]
  readonly maxPolicies: number
}

const BOARDS = Symbol.for('halt.telemetry.prometheus.boards')

interface Pinboard {
  [BOARDS]?: Map<string, Board>
}

/**
 * All metrics of Halt in one registry. All telemetries with the same registry and prefix share one board, also if they come
 * from different copies of this package.
 */
export class Board {
  readonly checks: Family<'policy' | 'algorithm' | 'outcome' | 'store'>
  readonly blocked: Family<'policy' | 'reason'>
  readonly remaining: Family<'policy'>
  readonly nearLimit: Family<'policy'>
  readonly scarce: Family<'policy'>
  /** The seconds that `scarce` has counted. */
  readonly scarceSeconds: OnceASecond = new OnceASecond()
  readonly shadow: Family<'policy' | 'outcome'>
  readonly exempt: Family<'policy'>
  readonly degraded: Family<'policy' | 'mode'>
  readonly lineWaiting: Family<'policy'>
  readonly lineLeft: Family<'policy' | 'why'>
  readonly lineWaits: DurationFamily
  readonly quotaChecks: Family<'policy' | 'outcome'>
  readonly quotaThresholds: Family<'policy' | 'threshold'>
  readonly violations: Family<never>
  readonly penalties: Family<never>
  readonly storeErrors: Family<'store' | 'failure'>
  readonly storeRecoveries: Family<'store'>
  readonly storeKeys: Family<'store'>
  readonly durations: DurationFamily
  readonly stores: ObservedStores = new ObservedStores()
  readonly policies: PolicyTable
  /** The callers that wait, by the label of the policy. A registry that is reset does not forget them. */
  readonly waiting: Map<string, number> = new Map()
  readonly #all = new Map<string, Publisher>()

  constructor({ prefix, buckets, maxPolicies }: BoardOptions) {
    const family = <L extends string>(
      type: 'counter' | 'gauge',
      name: string,
      help: string,
      labels: readonly L[],
      more: Pick<FamilyOptions<L>, 'aggregator' | 'collect'> = {},
    ): Family<L> => {
      const made = new Family({ type, name: prefix + name, help, labels, ...more })
      this.#all.set(made.name, made)
      return made
    }
    const policy = ['policy'] as const
    this.checks = family('counter', 'checks_total', 'Checks, by the policy that decided.', [
      ...policy,
      'algorithm',
      'outcome',
      'store',
    ])
    this.blocked = family('counter', 'blocked_total', 'Checks that were refused.', [...policy, 'reason'])
    this.remaining = family('gauge', 'remaining', 'Units left after the last check of any key.', policy, {
      aggregator: 'min',
    })
    this.nearLimit = family(
      'counter',
      'near_limit_total',
      'Checks that were allowed and left little.',
      policy,
    )
    this.scarce = family(
      'counter',
      'scarce_seconds_total',
      'Seconds in which a tenant was refused in favour of others.',
      policy,
    )
    this.shadow = family('counter', 'shadow_total', 'Verdicts of policies in shadow.', [...policy, 'outcome'])
    this.exempt = family('counter', 'exempt_total', 'Requests that no policy counted.', policy)
    this.degraded = family('counter', 'degraded_total', 'Checks decided without the store.', [
      ...policy,
      'mode',
    ])
    this.lineWaiting = family('gauge', 'line_waiting', 'Callers of this process that wait.', policy, {
      collect: callers => {
        for (const [name, count] of this.waiting) callers.cell(name).value = count
      },
    })
    this.lineLeft = family('counter', 'line_left_total', 'Callers that waited and left without a turn.', [
      ...policy,
      'why',
    ])
    this.quotaChecks = family('counter', 'quota_checks_total', 'Checks of quotas.', [...policy, 'outcome'])
    this.quotaThresholds = family(
      'counter',
      'quota_thresholds_total',
      'Keys that reached a share of a quota.',
      [...policy, 'threshold'],
    )
    this.violations = family('counter', 'violations_total', 'Violations that were scored.', [])
    this.penalties = family('counter', 'penalties_total', 'Penalties that began.', [])
    this.storeErrors = family('counter', 'store_errors_total', 'Failures of stores.', ['store', 'failure'])
    this.storeRecoveries = family('counter', 'store_recoveries_total', 'Outages of stores that are over.', [
      'store',
    ])
    this.storeKeys = family('gauge', 'store_keys', 'Counters that stores in this process hold.', ['store'], {
      collect: keys => {
        keys.reset()
        for (const [store, size] of this.stores.sizes()) keys.cell(store).value = size
      },
    })
    const histogram = (
      name: string,
      help: string,
      label: string,
      bounds: readonly number[],
    ): DurationFamily => {
      const made = new DurationFamily(prefix + name, help, label, bounds)
      this.#all.set(made.name, made)
      return made
    }
    this.durations = histogram('check_duration_seconds', 'The duration of a check.', 'store', buckets)
    this.lineWaits = histogram(
      'line_wait_seconds',
      'How long callers waited whose turn came.',
      'policy',
      WAIT_BUCKETS,
    )
    this.violations.cell()
    this.penalties.cell()
    this.policies = new PolicyTable(this, maxPolicies)
  }

  /** The board of a registry and a prefix. The first caller's options make it. */
  static of(registry: Registry, options: BoardOptions): Board {
    const boards = ((registry as Pinboard)[BOARDS] ??= new Map())
    const board = boards.get(options.prefix) ?? new Board(options)
    board.#register(registry)
    boards.set(options.prefix, board)
    return board
  }

  // Runs for each telemetry, because the application may have cleared the registry.
  #register(registry: Registry): void {
    const at = (name: string): unknown => registry.getSingleMetric(name)
    for (const [name, publisher] of this.#all)
      if (at(name) !== undefined && at(name) !== publisher) throw nameTaken(name)
    for (const [name, publisher] of this.#all) {
      if (at(name) === publisher) continue
      // A registry in OpenMetrics format removes the suffix from the name.
      publisher.name = name
      registry.registerMetric(asMetric(publisher))
    }
  }
}
