import { Memo } from '../base/bounded-memory.ts'
import { makeDigest } from '../base/digest.ts'
import { idempotencyDemand } from '../check/check-builder.ts'
import { type Check, isShadowed } from '../check/check.ts'
import type { Notify, Telemetry } from '../check/telemetry.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import type { AskStore } from '../store/evaluation-check.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt } from '../store/reading.ts'
import { channels } from './channels.ts'
import { quotaUsage } from './usage.ts'

/** The units that a demand has added to those used of its quota; negative if it gave some back. Units that calls hold are not used. */
function unitsUsed({ mode, cost, terms }: Demand, at: number, evaluation: Evaluation): number {
  const { allowed, repeated, passes, grants } = evaluation
  if (!allowed || repeated || passes[at] !== true) return 0
  if (mode === Mode.SETTLE) return cost
  return mode === Mode.CHARGE && !terms?.keptFor ? (grants?.[at] ?? cost) : 0
}

/**
 * Tells of the shares of quotas that are used: of each once, over all processes. It hears every answer of the store, because units come
 * to be used in many ways: by a charge, a settlement, a payment of a call, or a write-back after an outage. The process whose
 * change crosses a share claims it in the store, as an idempotency key is claimed. A share of another limit, by a grant, is another
 * share, and so is one after a reset. If the store does not answer the claim, the share is told of: better twice than never.
 */
export class Thresholds {
  readonly #notify: Notify
  readonly #telemetry: Telemetry | undefined
  // By counter: corrections and write-backs name no policy.
  readonly #policies = new Memo<CompiledPolicy>(1024)

  constructor(telemetry: Telemetry | undefined, notify: Notify) {
    this.#telemetry = telemetry
    this.#notify = notify
  }

  /** Hears what the store did with a group. */
  observe(group: Group | Check, evaluation: Evaluation, ask: AskStore): void {
    if (!this.#isHeard) return
    if ('policies' in group) this.note(group)
    for (const [i, demand] of group.demands.entries()) {
      const policy = demand.edges && this.#policies.get(demand.rule.counter)
      if (policy !== undefined) this.#judge(policy, demand, i, evaluation, ask)
    }
  }

  /** Notes the quotas of a check. What it is charged may come to the store later, without their names. */
  note(check: Check): void {
    if (!this.#isHeard) return
    for (const [i, policy] of check.policies.entries()) {
      const { counter } = check.demands[i]!.rule
      if (policy.calendar === undefined || isShadowed(check, i)) continue
      if (this.#policies.get(counter) !== policy) this.#policies.set(counter, policy)
    }
  }

  get #isHeard(): boolean {
    return this.#telemetry?.onQuotaThreshold !== undefined || channels.quota.hasSubscribers
  }

  #judge(policy: CompiledPolicy, demand: Demand, i: number, whole: Evaluation, ask: AskStore): void {
    const more = unitsUsed(demand, i, whole)
    if (more <= 0) return
    const evaluation = evaluationAt(whole, i)
    const usage = quotaUsage(policy, demand, evaluation, i)
    const limit = usage.limit + usage.granted
    // Those that the last used units have crossed.
    const reached = policy.thresholds
      .filter(share => usage.used >= share * limit && usage.used - more < share * limit)
      .toSorted((one, other) => one - other)
    for (const [at, threshold] of reached.entries()) {
      const share = [threshold, limit, evaluation.states[i]?.[1]].join(' ')
      const idempotency = idempotencyDemand(share, [policy], [demand], ['threshold'], makeDigest())
      let isTold = at < reached.length - 1
      ask({ demands: [], idempotency }, answer => {
        if (!isTold && answer?.repeated !== true)
          this.#notify('onQuotaThreshold', demand.subject, usage, threshold)
        isTold = true
      })
    }
  }
}
