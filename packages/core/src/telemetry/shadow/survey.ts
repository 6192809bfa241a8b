import { hashText } from '../../base/digest.ts'
import { checkWhole } from '../../base/options-check.ts'
import { fromCaller } from '../../base/warnings.ts'
import type { Decision } from '../../check/decision.ts'
import type { PolicyVerdict, Reason } from '../../check/verdict-reader.ts'
import type { Telemetry } from '../../check/telemetry.ts'
import { HeavyKeys } from '../heavy-keys.ts'
import { LabelSet } from '../labels.ts'
import { describeReport, type ShadowFinding, type ShadowReport } from './report.ts'

const BITS = 11
const REGISTERS = 1 << BITS
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS)

/**
 * Estimates the number of distinct strings in 2 KiB of memory: HyperLogLog with 2048 registers. The standard error is 2.3 %. Up
 * to some hundreds of strings the estimate is almost exact.
 */
export class HyperLogLog {
  readonly #registers = new Uint8Array(REGISTERS)

  add(text: string): void {
    const hash = hashText(text)
    const register = hash >>> (32 - BITS)
    // The position of the first 1 among the bits that did not select the register.
    const rank = Math.min(Math.clz32(hash << BITS), 32 - BITS) + 1
    if (rank > (this.#registers[register] as number)) this.#registers[register] = rank
  }

  /** The estimated number of distinct strings that were added. */
  get count(): number {
    let sum = 0
    let empty = 0
    for (const rank of this.#registers) {
      sum += 2 ** -rank
      if (rank === 0) empty++
    }
    const estimate = (ALPHA * REGISTERS * REGISTERS) / sum
    // For small numbers the count of empty registers is the better estimate.
    if (estimate <= 2.5 * REGISTERS && empty > 0) return Math.round(REGISTERS * Math.log(REGISTERS / empty))
    // For very large numbers the 32-bit hashes begin to collide.
    if (estimate > 2 ** 32 / 30) return Math.round(-(2 ** 32) * Math.log(1 - estimate / 2 ** 32))
    return Math.round(estimate)
  }
}

/** Options of {@link ShadowSurvey}. */
export interface ShadowSurveyOptions {
  /** How many keys the report lists per policy. Default 10. */
  readonly top?: number | undefined
  /** How many policies are counted separately. All others are counted together as `"other"`. Default 100. */
  readonly maxPolicies?: number | undefined
}

interface Tally {
  requests: number
  wouldBlock: number
  alsoBlocked: number
  readonly reasons: Partial<Record<Reason, number>>
  readonly keys: HyperLogLog
  readonly blockedKeys: HyperLogLog
  readonly heavy: HeavyKeys
}

/**
 * Surveys the requests that shadow policies would have refused: how many requests, how many keys, and which keys. Takes some
 * kilobytes per policy, however many keys there are.
 *
 * @example
 * const survey = new ShadowSurvey()
 * const limiter = new RateLimiter({ store, policy: [current, { ...candidate, mode: 'shadow' }], telemetry: survey })
 * console.log(String(survey))
 */
export class ShadowSurvey implements Telemetry {
  readonly #top: number
  readonly #maxPolicies: number
  #names: LabelSet
  #since = Date.now()
  readonly #tallies = new Map<string, Tally>()

  /** @throws HaltError `HALT_E_OPTION` */
  constructor({ top = 10, maxPolicies = 100 }: ShadowSurveyOptions = {}) {
    this.#top = top
    this.#maxPolicies = maxPolicies
    this.#names = fromCaller(ShadowSurvey, () => {
      checkWhole('top', top, 1, 1000)
      return new LabelSet(maxPolicies)
    })
  }

  onCheck(_key: string, { allowed, verdicts }: Decision): void {
    for (let i = 0; i < verdicts.length; i++) {
      const verdict = verdicts[i] as PolicyVerdict
      if (verdict.mode === 'shadow') this.#count(verdict, allowed)
    }
  }

  /** The findings since the start, or since the last {@link clear}. */
  report(): ShadowReport {
    const policies = [...this.#tallies].map(([policy, tally]) => finding(policy, tally, this.#top))
    policies.sort((a, b) => b.wouldBlock - a.wouldBlock || b.requests - a.requests)
    return { since: Math.floor(this.#since / 1000), until: Math.ceil(Date.now() / 1000), policies }
  }

  /** The report as text for people. Keys are escaped, because clients choose them. */
  toString(): string {
    return describeReport(this.report())
  }

  /** Drops all findings and starts again. */
  clear(): void {
    this.#tallies.clear()
    this.#names = new LabelSet(this.#maxPolicies)
    this.#since = Date.now()
  }

  #count({ policy, key, allowed, reason }: PolicyVerdict, admitted: boolean): void {
    const tally = this.#tallyOf(this.#names.of(policy))
    tally.requests++
    tally.keys.add(key)
    if (allowed) return
    tally.wouldBlock++
    if (!admitted) tally.alsoBlocked++
    tally.reasons[reason] = (tally.reasons[reason] ?? 0) + 1
    tally.blockedKeys.add(key)
    tally.heavy.add(key)
  }

  #tallyOf(name: string): Tally {
    let tally = this.#tallies.get(name)
    if (tally === undefined) {
      const heavy = new HeavyKeys(Math.max(100, this.#top * 10))
      const counts = { requests: 0, wouldBlock: 0, alsoBlocked: 0, reasons: {} }
      tally = { ...counts, keys: new HyperLogLog(), blockedKeys: new HyperLogLog(), heavy }
      this.#tallies.set(name, tally)
    }
    return tally
  }
}

function finding(policy: string, tally: Tally, most: number): ShadowFinding {
  const { requests, wouldBlock, alsoBlocked } = tally
  const keys = tally.keys.count
  // Both numbers are estimates, so cap the part at the whole.
  const blockedKeys = Math.min(keys, tally.blockedKeys.count)
  return {
    policy,
    requests,
    wouldBlock,
    alsoBlocked,
    share: wouldBlock / requests,
    keys,
    blockedKeys,
    keyShare: blockedKeys / keys,
    reasons: { ...tally.reasons },
    top: tally.heavy.top(most),
  }
}
