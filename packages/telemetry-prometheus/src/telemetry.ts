import {
  type CallerTurn,
  type Decision,
  type DecisionMetadata,
  fromCaller,
  type LeavingCaller,
  type ObservedStore,
  type PolicyVerdict,
  type QuotaUsage,
  type StoreRecovery,
  type Telemetry,
  type WaitingCaller,
} from '@halt/core'

import { Board } from './board.ts'
import { checkOptions, type PrometheusTelemetryOptions } from './options.ts'

const FAILURES = ['timeout', 'unavailable', 'full', 'misconfigured', 'script'] as const

/**
 * Counts the decisions of limiters for Prometheus. Labels are policies, algorithms, outcomes and stores, never keys. Their
 * number is bounded, however many policies there are. A check costs a few additions; strings are made at a scrape.
 *
 * Several telemetries on one registry count together.
 *
 * @throws HaltError `HALT_E_OPTION`; `HALT_E_METRIC_TAKEN`
 * @example
 * const limiter = new RateLimiter({ store, policy, telemetry: new PrometheusTelemetry() })
 * app.get('/metrics', async (_req, res) => res.type(register.contentType).send(await register.metrics()))
 */
export class PrometheusTelemetry implements Telemetry {
  readonly #board: Board
  readonly #nearLimit: number

  constructor(options: PrometheusTelemetryOptions = {}) {
    const { register, nearLimit, ...made } = fromCaller(PrometheusTelemetry, () => checkOptions(options))
    this.#board = fromCaller(PrometheusTelemetry, () => Board.of(register, made))
    this.#nearLimit = nearLimit
  }

  onStore(store: ObservedStore): void {
    this.#board.stores.add(store)
    const label = this.#board.policies.storeLabel(store.kind ?? 'custom')
    // Starts the series at 0. Prometheus sees no increase in a series that begins at 1, so an alert would miss the first failure.
    for (const failure of FAILURES) this.#board.storeErrors.cell(label, failure)
    this.#board.storeRecoveries.cell(label)
  }

  onCheck(_key: string, { verdicts, allowed, reason }: Decision, metadata: DecisionMetadata): void {
    const { policies, blocked, degraded } = this.#board
    const cells = policies.of(metadata.policy)
    const row = policies.row(cells, metadata)
    if (metadata.outcome !== 'exempt') row[metadata.outcome].value++
    row.durations.observe(metadata.durationMs / 1000)
    if (!allowed) (cells.reasons[reason] ??= blocked.cell(cells.name, reason)).value++
    if (metadata.degraded !== false) degraded.cell(cells.name, metadata.degraded).value++
    for (let i = 0; i < verdicts.length; i++) this.#countVerdict(verdicts[i] as PolicyVerdict, allowed)
  }

  onExempt(_key: string, _decision: Decision, { policy }: DecisionMetadata): void {
    this.#board.exempt.cell(this.#board.policies.labelOf(policy)).value++
  }

  onWaiting(_key: string, { policy }: WaitingCaller): void {
    this.#waits(policy, 1)
  }

  onTurn(_key: string, { policy, waitedMs }: CallerTurn): void {
    this.#board.lineWaits.of(this.#waits(policy, -1)).observe(waitedMs / 1000)
  }

  onLeave(_key: string, { policy, why }: LeavingCaller): void {
    this.#board.lineLeft.cell(this.#waits(policy, -1), why).value++
  }

  onQuotaCheck(_key: string, { name }: QuotaUsage, allowed: boolean): void {
    const { policies, quotaChecks } = this.#board
    const cells = policies.of(name)
    const outcome = allowed ? 'allowed' : 'blocked'
    ;(cells.quota[outcome] ??= quotaChecks.cell(cells.name, outcome)).value++
  }

  onQuotaThreshold(_key: string, { name }: QuotaUsage, threshold: number): void {
    const { policies, quotaThresholds } = this.#board
    // Rounded to a hundredth, because thresholds may be made at run time too.
    quotaThresholds.cell(policies.labelOf(name), String(Math.round(threshold * 100) / 100)).value++
  }

  onViolation(): void {
    this.#board.violations.cell().value++
  }

  onPenaltyApplied(): void {
    this.#board.penalties.cell().value++
  }

  onStoreError(
    _error: unknown,
    { store, failure }: { readonly store: string; readonly failure: string },
  ): void {
    this.#board.storeErrors.cell(this.#board.policies.storeLabel(store), failure).value++
  }

  onStoreRecovered({ store }: StoreRecovery): void {
    this.#board.storeRecoveries.cell(this.#board.policies.storeLabel(store)).value++
  }

  /** Returns the label of the policy. */
  #waits(policy: string, more: 1 | -1): string {
    const { policies, waiting } = this.#board
    const label = policies.labelOf(policy)
    waiting.set(label, (waiting.get(label) ?? 0) + more)
    return label
  }

  #countVerdict({ policy, mode, allowed, reason, remaining, limit }: PolicyVerdict, admitted: boolean): void {
    const { policies, shadow, scarce, scarceSeconds } = this.#board
    const cells = policies.of(policy)
    if (mode === 'shadow') {
      const outcome = allowed ? 'allowed' : 'blocked'
      ;(cells.shadow[outcome] ??= shadow.cell(cells.name, outcome)).value++
      return
    }
    cells.remaining.value = remaining
    if (reason === 'fair-share' && scarceSeconds.isFirst(cells.name)) scarce.cell(cells.name).value++
    if (admitted && remaining <= limit * this.#nearLimit) cells.nearLimit.value++
  }
}
