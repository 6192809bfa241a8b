import type { State } from '../algorithms/index.ts'
import type { Group } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { type Counters, keyOf, keyOfDemand } from '../store/counter-key.ts'
import { decide } from '../store/decide.ts'
import { PENALTY_COUNTER } from '../store/penalty-step.ts'
import { StoreMisread } from '../store/evaluation-check.ts'

/** A counter that a decision changed, as a value to write. */
export interface Change {
  readonly key: string
  /** The value to write; undefined if the counter equals a fresh one and must be removed. */
  readonly value: string | undefined
  /** Unix milliseconds from which the counter equals a fresh one, so the database may remove it. */
  readonly expiresAt: number
}

/** The keys of the counters that a group reads, without repetitions, and in the same order in every process. */
export function keysOf({ demands, penalty, idempotency }: Group): string[] {
  const keys = new Set(demands.map(keyOfDemand))
  if (penalty !== undefined) keys.add(keyOf(penalty.subject, PENALTY_COUNTER))
  if (idempotency !== undefined) keys.add(keyOf(idempotency.subject, idempotency.counter))
  return [...keys].sort()
}

/**
 * Decides a group over values that were read, and returns the evaluation and the changes to write.
 *
 * @param hasOneClock whether all calls go by one clock: {@link Counters.hasOneClock}
 */
export function decideOver(
  group: Group,
  values: ReadonlyMap<string, string>,
  now: number,
  hasOneClock = false,
): { evaluation: Evaluation; changes: Change[] } {
  const changes: Change[] = []
  const counters: Counters = {
    hasOneClock,
    load: (subject, counter) => parse(values.get(keyOf(subject, counter))),
    keep(subject, counter, state, freshAt) {
      const value = freshAt > now ? state.join(' ') : undefined
      changes.push({ key: keyOf(subject, counter), value, expiresAt: Math.ceil(freshAt / 1000) })
    },
  }
  return { evaluation: decide(group, counters, now), changes }
}

function parse(value: string | undefined): State {
  if (value === undefined || value === '') return []
  const state = typeof value === 'string' ? value.split(' ').map(Number) : [Number.NaN]
  if (state.every(Number.isFinite)) return state
  throw new StoreMisread(
    'the database returned a value that is not a counter',
    'Return values as they were written.',
  )
}
