// What must hold of every history besides the bound: order, patience, silence in a pause. Each judge returns what it found wrong.
import { type Ask, type Journal, startsOf } from './journal.ts'

/**
 * Callers of a process that started before one that had asked earlier. A caller whose patience has ended asks once more, as a
 * newcomer.
 */
export function outOfOrder(book: Journal): readonly [earlier: number, later: number][] {
  const wrong: [number, number][] = []
  const last = new Map<number, Ask>()
  const isInTime = ({ waits, endedAt, askedAt, maxWait }: Ask): boolean =>
    waits && (endedAt as number) < askedAt + maxWait
  for (const ask of startsOf(book).filter(isInTime)) {
    const before = last.get(ask.process)
    if (before !== undefined && before.id > ask.id) wrong.push([ask.id, before.id])
    else last.set(ask.process, ask)
  }
  return wrong
}

/** Callers that had no answer, or had one later than `maxWait` and `grace` microseconds after they asked. */
export function heldTooLong({ asks }: Journal, grace: number): readonly Ask[] {
  return asks.filter(
    ({ askedAt, endedAt, maxWait, waits }) => (endedAt ?? Infinity) > askedAt + (waits ? maxWait : 0) + grace,
  )
}

/** Callers whose call failed: a request always gets a decision. */
export function failures({ asks }: Journal): readonly Ask[] {
  return asks.filter(({ end }) => end === 'failed')
}

/** Callers that started while the line was frozen and everybody knew. */
export function startedInPause(book: Journal): readonly Ask[] {
  return startsOf(book).filter(({ endedAt, user }) =>
    book.closed.some(span => (span.user ?? user) === user && span.from < endedAt && endedAt < span.to),
  )
}
