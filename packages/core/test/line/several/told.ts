// Whether the waits that refusals tell are true. It reads what clients saw and the book, and nothing of Halt.
import { unitsOf } from './counters.ts'
import { idealOf, Tanks } from './ideal.ts'
import { afterCharge, atOnce } from './judges.ts'
import type { Call, Started, Town } from './town.ts'

/** A wait that was told and is not true: its call, and by how many microseconds it is too early (below 0) or too late. */
export interface Untrue {
  readonly call: Call
  readonly by: number
}

/** How much later a wait may be than the book says. */
const SHARE = 0.1
const SLACK = 60_000
/** The calls that a wait may be too late by, because others were being turned away at the same moment. */
const CALLS = 3

/**
 * The waits of refusals that cannot be true. Whoever comes back earlier than the units that have started allow is refused again: too
 * early. Whoever comes back when all have started that waited then, or that were being asked about and were not turned away, must pass: later
 * is too late, beyond a tenth and the time of a few calls.
 *
 * @param most how many refusals are looked at
 */
export function untrueWaits(town: Town, most = 40): Untrue[] {
  const { counters, starts, calls } = town
  // Nobody knows when a request in flight ends.
  const isUnknown = new Set(counters.flatMap(({ kind, name }) => (kind === 'concurrency' ? name : [])))
  const refused = calls
    .filter(({ end, retryAfter }) => end === 'refused' && Number.isFinite(retryAfter))
    .filter(({ policy = '' }) => !isUnknown.has(policy))
    .toSorted((a, b) => a.endedAt! - b.endedAt!)
  const every = Math.max(1, Math.floor(refused.length / most))
  const apart = afterCharge(town)
  const [tanks, eager] = [new Tanks(counters, { apart }), new Tanks(counters, { apart, isEarly: true })]
  const untrue: Untrue[] = []
  let next = 0
  const held = (town.options.heldMs ?? 0) * 1000
  for (const [i, call] of refused.entries()) {
    if (i % every !== 0) continue
    // What started later may have been charged after this refusal was decided.
    const decidedAt = call.endedAt! - town.delays.most
    for (; next < starts.length && starts[next]!.endedAt <= decidedAt; next++) {
      const { endedAt, client, units, askedAt } = starts[next]!
      for (const each of [tanks, eager]) each.take(endedAt, client, units, held, askedAt)
    }
    const told = call.endedAt! + call.retryAfter!
    const early = told + atOnce(town) - eager.earliest(call.endedAt!, call.client, call.units)
    const late = told - latestOf(town, tanks.copy(), call, starts.slice(next))
    if (early < 0) untrue.push({ call, by: early })
    else if (late > SLACK + SHARE * call.retryAfter! + CALLS * slowestOf(town))
      untrue.push({ call, by: late })
  }
  return untrue
}

/** The longest time that a call takes of a bucket. */
function slowestOf({ counters, calls }: Town): number {
  const times = counters.map(counter => {
    const dearest = Math.max(...calls.map(({ units }) => unitsOf(counter, units)))
    return counter.kind === 'bucket' ? (dearest * counter.window) / counter.limit : 0
  })
  return Math.max(...times)
}

/** When a refused caller could start after all that had asked before its answer, and were not turned away. */
function latestOf(town: Town, tanks: Tanks, call: Call, later: readonly Started[]): number {
  const at = call.endedAt!
  const { counters, calls } = town
  const sharesOne = (client: string): boolean =>
    counters.some(({ isShared }) => isShared) || client === call.client
  const held = (town.options.heldMs ?? 0) * 1000
  for (const { endedAt, client, units } of later)
    if (endedAt <= at) tanks.take(Math.max(at - town.delays.most, endedAt), client, units, held)
  const ahead = calls.filter(
    ({ id, client, end, askedAt, endedAt = Infinity }) =>
      id !== call.id &&
      sharesOne(client) &&
      askedAt <= at &&
      endedAt > at &&
      !(end === 'refused' && endedAt <= askedAt + atOnce(town)),
  )
  const jobs = ahead.map(({ client, units, askedAt }) => ({
    client,
    at: askedAt,
    maxWait: Infinity,
    units: () => units,
    isSteady: false,
  }))
  const options = { from: at, until: Number.MAX_SAFE_INTEGER, again: 0, held }
  const all = idealOf(counters, jobs, options, tanks)
  return tanks.earliest(all.at(-1)?.at ?? at, call.client, call.units)
}
