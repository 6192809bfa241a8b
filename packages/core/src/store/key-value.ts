import type { State } from '../algorithms/index.ts'
import type { Group, Evaluation } from './contract.ts'
import { type Counters, decide, PENALTY_COUNTER } from './decide.ts'
import { keyOf, keyOfDemand } from './counter-key.ts'
import { StoreMisread } from './evaluation-check.ts'

/** A counter that a decision changed. */
export interface Change {
  readonly key: string
  /** What to keep; undefined: the counter equals none and is to be removed. */
  readonly value: string | undefined
  /** Unix milliseconds after which the counter may be removed: it then equals none. */
  readonly expiresAt: number
}

/** The keys of all counters that a group reads, each once, in an order that is the same in every process. */
export function keysOf({ demands, penalty, idempotency }: Group): string[] {
  const keys = new Set(demands.map(keyOfDemand))
  if (penalty !== undefined) keys.add(keyOf(penalty.subject, PENALTY_COUNTER))
  if (idempotency !== undefined) keys.add(keyOf(idempotency.subject, idempotency.counter))
  return [...keys].sort()
}

/** Decides a group over values that were read before, and says what to write. */
export function decideOver(
  group: Group,
  values: ReadonlyMap<string, string>,
  now: number,
): { evaluation: Evaluation; changes: Change[] } {
  const changes: Change[] = []
  const counters: Counters = {
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
  throw new StoreMisread('the database gave what is no counter', 'Give values back as they were written.')
}
