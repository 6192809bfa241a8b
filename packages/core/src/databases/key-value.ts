import type { State } from '../algorithms/index.ts'
import { type Group, Mode, PenaltyMode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { type Counters, keyOf, keysOfDemands } from '../store/counter-key.ts'
import { decide } from '../store/decide.ts'
import { PENALTY_COUNTER } from '../store/beside-demands.ts'
import { StoreMisread } from '../store/evaluation-check.ts'
import { notApplied } from './not-applied.ts'

/** A counter that a decision changed, as a value to write. */
export interface Change {
  readonly key: string
  /** The value to write; undefined if the counter equals a fresh one and must be removed. */
  readonly value: string | undefined
  /** Unix milliseconds from which the counter equals a fresh one, so the database may remove it. */
  readonly expiresAt: number
}

/** The keys of the counters that groups read, without repetitions, and in the same order in every process. */
export function keysOf(...groups: readonly Group[]): string[] {
  const keys = new Set<string>()
  for (const { demands, penalty, idempotency } of groups) {
    for (const key of keysOfDemands(demands)) keys.add(key)
    if (penalty !== undefined) keys.add(keyOf(penalty.subject, PENALTY_COUNTER))
    if (idempotency !== undefined) keys.add(keyOf(idempotency.subject, idempotency.counter))
  }
  return [...keys].sort()
}

/** The number of counters that a group reads, repetitions included. */
export function countersOf({ demands, penalty, idempotency }: Group): number {
  return keysOfDemands(demands).length + (penalty === undefined ? 0 : 1) + (idempotency === undefined ? 0 : 1)
}

/** The keys of the counters that groups read, and that none of them can change. */
export function keysOfLooks(groups: readonly Group[]): ReadonlySet<string> {
  const looks = groups.filter(onlyLooks)
  if (looks.length === 0) return new Set()
  const keys = new Set(keysOf(...looks))
  if (looks.length < groups.length)
    for (const key of keysOf(...groups.filter(group => !onlyLooks(group)))) keys.delete(key)
  return keys
}

function onlyLooks({ demands, penalty, idempotency }: Group): boolean {
  if (idempotency !== undefined || (penalty !== undefined && penalty.mode !== PenaltyMode.READ)) return false
  return demands.every(({ mode }) => mode === Mode.PEEK)
}

/** A decision about one group, and the counters that it changes. */
export interface Decided {
  readonly evaluation: Evaluation
  readonly changes: Change[]
}

/**
 * Decides a group over values that were read, and returns the evaluation and the changes to write.
 *
 * @param values the values by their keys, those of {@link keysOf}; a missing one is a fresh counter
 * @param now the instant of the decision, in microseconds since the Unix epoch
 * @param hasOneClock whether all calls go by one clock: {@link Counters.hasOneClock}. Default false
 * @throws StoreMisread if a value is not a counter
 */
export function decideOver(
  group: Group,
  values: ReadonlyMap<string, string>,
  now: number,
  hasOneClock = false,
): Decided {
  const changes: Change[] = []
  const counters: Counters = {
    hasOneClock,
    load: (subject, counter) => parse(values.get(keyOf(subject, counter)), keyOf(subject, counter)),
    keep(subject, counter, state, freshAt) {
      const value = freshAt > now ? state.join(' ') : undefined
      changes.push({ key: keyOf(subject, counter), value, expiresAt: Math.ceil(freshAt / 1000) })
    },
  }
  return { evaluation: decide(group, counters, now), changes }
}

/**
 * Decides groups one after the other over values that were read together. A group over a value that is not a counter gets an error, and
 * changes nothing; the others are decided as if it had not come.
 */
export function decideInTurn(
  groups: readonly Group[],
  read: ReadonlyMap<string, string>,
  now: number,
  hasOneClock = false,
): { evaluations: (Evaluation | Error)[]; changes: Change[] } {
  const values = new Map(read)
  const byKey = new Map<string, Change>()
  const evaluations = groups.map(group => {
    try {
      const { evaluation, changes } = decideOver(group, values, now, hasOneClock)
      for (const change of changes) {
        byKey.set(change.key, change)
        if (change.value === undefined) values.delete(change.key)
        else values.set(change.key, change.value)
      }
      return evaluation
    } catch (error) {
      return notApplied(error)
    }
  })
  return { evaluations, changes: [...byKey.values()] }
}

function parse(value: string | undefined, key: string): State {
  if (value === undefined || value === '') return []
  const state = typeof value === 'string' ? value.split(' ').map(Number) : [Number.NaN]
  if (state.every(Number.isFinite)) return state
  throw new StoreMisread(
    'the database returned a value that is not a counter',
    'Return values as they were written.',
    key,
  )
}
