// Callers that stand still though all their counters have room.
import { unitsOf } from './counters.ts'
import { Tanks } from './ideal.ts'
import { afterCharge } from './judges.ts'
import type { Call, Town } from './town.ts'

/** A time in which nobody started, though a caller could have. Microseconds. */
export interface Stillness {
  readonly client: string
  readonly from: number
  readonly to: number
}

/**
 * The longest time in which nobody started at all, though the book had room for all waiting callers of a client. Units that came back are not counted,
 * so that the book has less room than the store.
 */
export function longestStillness(town: Town): Stillness | undefined {
  const { starts, calls, counters } = town
  const tanks = new Tanks(counters, { apart: afterCharge(town) })
  const end = Math.min(town.time.now, town.until)
  let longest: Stillness | undefined
  for (const [i, start] of starts.entries()) {
    const { endedAt: from, client, units, doneAt = from } = start
    tanks.take(from, client, units, doneAt - from)
    const to = Math.min(starts[i + 1]?.endedAt ?? end, end)
    // Most times between two starts are short, so that few are looked into.
    if (to - from <= (longest === undefined ? 0 : longest.to - longest.from)) continue
    const found = waitingBetween(calls, from, to)
    for (const [who, waiting] of found) {
      const began = Math.max(...waiting.map(({ askedAt }) => askedAt))
      const ready = Math.max(
        from,
        began,
        ...counters.map(counter => {
          // In the line of all, somebody else's call may be the first, and it may have left meanwhile.
          const inLine = calls.filter(
            call =>
              (counter.isShared || call.client === who) &&
              call.askedAt <= began &&
              (call.endedAt ?? Infinity) > from,
          )
          const dearest = Math.max(...inLine.map(call => unitsOf(counter, call.units)))
          return tanks.of(counter, who).earliest(from, dearest)
        }),
      )
      if (to - ready > (longest === undefined ? 0 : longest.to - longest.from))
        longest = { client: who, from: ready, to }
    }
  }
  return longest
}

/** The callers that had asked before a time and had no answer in it, by client. */
function waitingBetween(calls: readonly Call[], from: number, to: number): Map<string, Call[]> {
  const found = new Map<string, Call[]>()
  for (const call of calls) {
    if (call.askedAt > from || (call.endedAt ?? Infinity) < to) continue
    const own = found.get(call.client)
    if (own === undefined) found.set(call.client, [call])
    else own.push(call)
  }
  return found
}
