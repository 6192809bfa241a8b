import type { PolicyVerdict } from '@halt/core'

import { SecondsSeen } from './seconds-seen.ts'

/** The decisions of a policy since somebody watches, and its tightest counter. */
export interface Tally {
  readonly policy: string
  readonly allowed: number
  readonly refused: number
  readonly shadow: boolean
  readonly key: string
  readonly limit: number
  /** Units left at `at`. */
  readonly remaining: number
  /** The time at which it was seen, in Unix milliseconds. */
  readonly at: number
  /** The time at which the full limit is available again, in Unix seconds. */
  readonly resetAt: number
  /** In how many of the last 60 seconds somebody was refused in favour of tenants that had less. Undefined if never. */
  readonly scarce?: number | undefined
}

type Entry = { -readonly [K in keyof Tally]: Tally[K] } & { turns?: SecondsSeen }

/** The number of policies that are listed, because a policy function may return any number. */
const MOST = 64

/** The decisions of each policy, and its tightest counter, in a fixed number of fields per policy. */
export class Tallies {
  readonly #entries = new Map<string, Entry>()

  /** @param now Unix milliseconds */
  count(verdict: PolicyVerdict, now: number): void {
    const { policy, allowed } = verdict
    let entry = this.#entries.get(policy)
    if (entry === undefined) {
      if (this.#entries.size === MOST) return
      entry = {
        policy,
        allowed: 0,
        refused: 0,
        shadow: false,
        key: '',
        limit: 0,
        remaining: 0,
        at: 0,
        resetAt: 0,
      }
      this.#entries.set(policy, entry)
    }
    if (allowed) entry.allowed++
    else entry.refused++
    if (verdict.reason === 'fair-share') (entry.turns ??= new SecondsSeen()).note(now)
    entry.shadow = verdict.mode === 'shadow'
    if (
      entry.limit > 0 &&
      entry.key !== verdict.key &&
      leftOf(entry, now) < verdict.remaining / verdict.limit
    )
      return
    entry.key = verdict.key
    entry.limit = verdict.limit
    entry.remaining = verdict.remaining
    entry.resetAt = verdict.resetAt
    entry.at = now
  }

  /** All policies, the tightest first. */
  read(now: number): Tally[] {
    return [...this.#entries.values()]
      .sort((a, b) => leftOf(a, now) - leftOf(b, now))
      .map(({ turns, ...entry }) => (turns === undefined ? entry : { ...entry, scarce: turns.read(now) }))
  }
}

/** The share of the limit that is left now, if units came back evenly since; 1 when all have. */
export function leftOf(
  { limit, remaining, at, resetAt }: Pick<Tally, 'limit' | 'remaining' | 'at' | 'resetAt'>,
  now: number,
): number {
  const whole = resetAt * 1000 - at
  if (limit === 0 || whole <= 0 || now >= resetAt * 1000) return 1
  const left = Math.max(0, remaining) / limit
  return Math.min(1, left + (1 - left) * ((now - at) / whole))
}
