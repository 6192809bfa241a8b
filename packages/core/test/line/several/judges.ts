// What must hold of callers under several policies. The judges read what clients saw and the book, and nothing of Halt.
import { type Counter, keyOf, unitsOf } from './counters.ts'
import { idealOf, type IdealStart } from './ideal.ts'
import { excessOf } from './ledger.ts'
import type { Call, Town } from './town.ts'

/** What the book allows a counter beyond its rule. */
export interface Allowance {
  /** Units, as a multiple of the dearest call that started. */
  readonly calls: number
  /** Microseconds by which a start may be later than its charge. */
  readonly late: number
}

/** Where nothing changes: one call, and two round trips of the slowest network. It grows neither with callers nor with processes. */
export const STEADY: Allowance = { calls: 1, late: 20_000 }
/** A caller that a window refuses at its turn gives its units back, and a process spreads what it hears of over 300 ms. */
export const BESIDE_WINDOW: Allowance = { calls: 1, late: 300_000 }
/** Units that callers give back to a line are applied within about a second, and places in flight become free at any time. */
export const BESIDE_FLIGHTS: Allowance = { calls: 1, late: 1_000_000 }
/** Where something changes, a process may not have heard of it for a second. */
export const CHANGING: Allowance = { calls: 1, late: 1_000_000 }

/** How often a process asks for a place in flight that another one may have given back. Microseconds. */
const PLACE_BEAT = 50_000

/** How much a counter of a client was exceeded. */
export interface Excess {
  /** The name of the counter, and of its client. */
  readonly counter: string
  readonly key: string
  /** Units above the rule, if each start is in time. */
  readonly units: number
  /** Units above the rule with starts as late as allowed, as a multiple of the dearest call. */
  readonly calls: number
}

/** The worst excess of each counter, over its clients. */
export function excessesOf(town: Town, { late }: Pick<Allowance, 'late'> = STEADY): Excess[] {
  const { counters, starts, grants, hear } = town
  const longest = Math.max(0, ...starts.map(({ askedAt, endedAt }) => endedAt - askedAt))
  return counters.flatMap(counter => {
    const isBucket = counter.kind === 'bucket'
    // A caller keeps the units of a bucket that it has passed while it waits in the next line. A change may end that wait at once, and in the
    // line of all the turns of others make it longer or shorter.
    const isSlower = nextOf(counter, counters).some(
      next => late > BESIDE_WINDOW.late || (next.isShared && !counter.isShared),
    )
    // Nobody stands in the line of a window: a start comes with the reply to its charge.
    const own = isSlower ? Math.max(late, longest) : isBucket ? late : Math.min(late, STEADY.late)
    const byKey = groupBy(starts, ({ client }) => keyOf(counter, client))
    const found = [...byKey].map(([key, calls]): Excess => {
      const entries = calls.map(({ endedAt, units, doneAt }) => ({
        at: endedAt,
        units: unitsOf(counter, units),
        ...(doneAt === undefined ? {} : { until: doneAt }),
      }))
      const given = grants.filter(
        ({ counter: name, client }) =>
          name === counter.name && (client === undefined || keyOf(counter, client) === key),
      )
      const dearest = Math.max(1, ...entries.map(({ units }) => units))
      return {
        counter: counter.name,
        key,
        units: excessOf(counter, entries, { late: isBucket ? 0 : own, hear, grants: given }),
        calls: excessOf(counter, entries, { late: own, hear, grants: given }) / dearest,
      }
    })
    const worst = found.toSorted((a, b) => b.calls - a.calls)[0]
    return worst === undefined ? [] : [worst]
  })
}

/** The buckets whose lines a caller may pass after that of a counter: those that are not slower. */
function nextOf(counter: Counter, counters: readonly Counter[]): Counter[] {
  const isNext = ({ kind, limit, window }: Counter): boolean =>
    kind === 'bucket' && limit / window >= counter.limit / counter.window
  return counter.kind === 'bucket' ? counters.filter(other => other !== counter && isNext(other)) : []
}

/**
 * How long the callers of one client may hold up those of another: who has passed the line of a bucket that all share keeps its units for as
 * long as a call of its own takes of the next bucket. Microseconds.
 */
export function heldUpBy({ counters, calls }: Town): number {
  const times = counters
    .filter(({ isShared }) => isShared)
    .flatMap(counter => nextOf(counter, counters))
    .filter(({ isShared }) => !isShared)
    .map(next => {
      const dearest = Math.max(...calls.map(({ units }) => unitsOf(next, units)))
      return (dearest * next.window) / next.limit
    })
  return Math.max(0, ...times)
}

/** From a start to the next ask that reaches the store, and back: what no rule can avoid. Microseconds. */
function roundTrips({ delays }: Town): number {
  return 4 * delays.most
}

/** The starts that are due by now: each caller starts as soon as all its counters allow. */
export function dueOf(town: Town, until: number = town.time.now): IdealStart[] {
  const held = (town.options.heldMs ?? 0) * 1000
  return idealOf(town.counters, town.jobs, {
    until: Math.min(until, town.until),
    again: roundTrips(town) + held,
    held: held + roundTrips(town) + (town.processes.length > 1 ? PLACE_BEAT : 0),
  })
}

/** Callers that had no answer, or had one later than their patience and `grace` microseconds. */
export function heldTooLong({ calls, time }: Town, grace = 300_000): Call[] {
  return calls.filter(({ askedAt, endedAt, maxWait }) => (endedAt ?? time.now) > askedAt + maxWait + grace)
}

/** Callers whose call failed. */
export function failures({ calls }: Town): Call[] {
  return calls.filter(({ end }) => end === 'failed')
}

/** Callers that were refused after they had been held. */
export function refusedLate(town: Town): Call[] {
  return town.calls.filter(
    ({ end, askedAt, endedAt }) => end === 'refused' && endedAt! > askedAt + atOnce(town),
  )
}

/** Callers that were refused at once, though they were told a wait within their patience. */
export function refusedInPatience(town: Town): Call[] {
  // Where lines may be full, nobody outside knows whether one was.
  if (town.options.limiter?.mostWaiting !== undefined) return []
  return town.calls.filter(
    call =>
      call.end === 'refused' &&
      call.endedAt! <= call.askedAt + atOnce(town) &&
      call.reason === 'limited' &&
      call.retryAfter! < call.maxWait - atOnce(town),
  )
}

/** How long an answer takes that nobody waits for: three questions at most, and the coarseness of timers. Microseconds. */
export function atOnce({ delays }: Town): number {
  return 6 * delays.most + 2000
}

/** How much later than its charge a start comes where nobody stands in a line: with the reply. Microseconds. */
export function afterCharge({ delays }: Town): number {
  return delays.most + 2000
}

/** The most callers that were held at one instant. */
export function mostHeld(town: Town): number {
  const edges = town.calls.flatMap(({ askedAt, endedAt = Infinity }) => {
    const from = askedAt + atOnce(town)
    return endedAt > from
      ? [
          { at: from, by: 1 },
          { at: endedAt, by: -1 },
        ]
      : []
  })
  let [most, held] = [0, 0]
  for (const { by } of edges.toSorted((a, b) => a.at - b.at || a.by - b.by))
    most = Math.max(most, (held += by))
  return most
}

/**
 * The most later callers that started before an earlier one of the same client and the same units.
 *
 * @param isWithinProcess whether only callers of one process are compared
 */
export function mostOvertaken(town: Town, isWithinProcess: boolean): number {
  const kinds = groupBy(town.starts, ({ client, units, process }) =>
    JSON.stringify([client, units, isWithinProcess ? process : 0]),
  )
  let most = 0
  // Of two processes, nobody knows whose question came first to the store.
  const apart = isWithinProcess ? 0 : atOnce(town)
  for (const starts of kinds.values())
    for (const [i, one] of starts.entries()) {
      let by = 0
      for (let j = 0; j < i; j++) if (starts[j]!.askedAt > one.askedAt + apart) by++
      most = Math.max(most, by)
    }
  return most
}

/** The values by a key. */
function groupBy<T>(values: readonly T[], keyOfValue: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOfValue(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
