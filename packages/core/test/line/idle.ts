// Whether the line stood still though there was room and somebody waited.
import { envelope } from './book.ts'
import { type Ask, type Journal, type Span, startsOf, type Step } from './journal.ts'

/** A time in which nobody started, though the first that waited had room. */
export interface Idle extends Omit<Span, 'why'> {
  readonly waiting: number
}

interface Change {
  readonly at: number
  readonly units?: number
  readonly started?: true
  readonly came?: Ask
  readonly went?: Ask
}

/** A caller counts as waiting once its call can have come to the store. */
const UNDER_WAY = 15_000

/**
 * The longest time in which nobody started although somebody waited and the bucket of those who started had room for the most
 * expensive of them. Refunds and overdrafts count at the instant at which they reached the store.
 */
export function longestIdle(book: Journal): Idle | undefined {
  const { window } = book
  const rates = envelope(book.rates, book.hear, Math.min)
  const capacities = envelope(book.capacities, book.hear, Math.min)
  const waiting = new Set<Ask>()
  let worst: Idle | undefined
  let [now, debt] = [0, 0]
  // Since when somebody could have started.
  let since: number | undefined
  for (const { at, units = 0, started, came, went } of changesOf(book, [...rates, ...capacities])) {
    if (at > now) {
      const rate = valueAt(rates, now)
      const head = Math.max(0, ...[...waiting].map(({ cost }) => cost))
      const missing = debt + (head - valueAt(capacities, now)) * window
      const from = now + Math.ceil(Math.max(0, missing) / rate)
      const canStart = waiting.size > 0 && head <= valueAt(capacities, now) && !isStill(book, now)
      if (!canStart || from >= at) since = undefined
      else since ??= from
      if (since !== undefined && at - since > (worst === undefined ? 0 : worst.to - worst.from))
        worst = { from: since, to: at, waiting: waiting.size }
      debt = Math.max(0, debt - rate * (at - now))
      now = at
    }
    debt = Math.max(0, debt + units * window)
    if (started) since = undefined
    if (came !== undefined && (came.endedAt ?? Infinity) > at) waiting.add(came)
    if (went !== undefined) waiting.delete(went)
  }
  return worst
}

function changesOf(book: Journal, steps: readonly Step[]): Change[] {
  const waiters = book.asks.filter(({ waits }) => waits)
  const changes: Change[] = [
    ...startsOf(book).map(({ endedAt, cost }) => ({ at: endedAt, units: cost, started: true as const })),
    ...book.corrections.map(({ at, units }) => ({ at, units: -units })),
    ...[...steps.map(({ at }) => at), ...book.still.flatMap(({ from, to }) => [from, to])].map(at => ({
      at,
    })),
    ...waiters.map(came => ({ at: came.askedAt + UNDER_WAY, came })),
    ...waiters.flatMap(went => (went.endedAt === undefined ? [] : [{ at: went.endedAt, went }])),
  ]
  return changes.filter(({ at }) => Number.isFinite(at)).toSorted((a, b) => a.at - b.at)
}

function valueAt(steps: readonly Step[], at: number): number {
  return (steps.findLast(step => step.at <= at) ?? steps[0]!).value
}

function isStill({ still }: Journal, at: number): boolean {
  return still.some(({ from, to }) => from <= at && at < to)
}
