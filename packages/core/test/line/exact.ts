// Where nothing changes, everything is known in advance: a book that is paid microsecond by microsecond says who starts when.
import type { Ask, Journal } from './journal.ts'
import type { Arrival } from './network.ts'

/** A caller for whom it went otherwise than the book says. */
export interface Difference {
  readonly id: number
  readonly what: string
  /** The instant at which the caller was due; undefined if the book refuses it. */
  readonly due: number | undefined
  readonly ended: number | undefined
}

/**
 * Compares a history in which nothing changed with the book: whom it refuses and what it tells them, who starts when, with one
 * call of the store for each caller. `late` microseconds may pass between the turn of a caller and its start.
 */
export function differences(book: Journal, arrivals: readonly Arrival[], late: number): Difference[] {
  const found: Difference[] = []
  const { window } = book
  const rate = book.rates[0]!.value
  const capacity = book.capacities[0]!.value
  const calls = new Map<number, Arrival[]>()
  for (const arrival of arrivals) {
    if (typeof arrival.caller !== 'number' || arrival.method !== 'evaluate') continue
    calls.set(arrival.caller, [...(calls.get(arrival.caller) ?? []), arrival])
  }
  let [debt, paid] = [0, 0]
  for (const { caller, at } of [...calls.values()].map(([first]) => first!).toSorted((a, b) => a.at - b.at)) {
    const ask = book.asks[caller as number]!
    const differ = (what: string, due?: number): void =>
      void found.push({ id: ask.id, what, due, ended: ask.endedAt })
    if (calls.get(ask.id)!.length > 1) differ(`${calls.get(ask.id)!.length} calls of the store`)
    debt = Math.max(0, debt - rate * (at - paid))
    paid = at
    const wait = Math.ceil(Math.max(0, debt + (ask.cost - capacity) * window) / rate)
    if (ask.cost > capacity || wait > (ask.waits ? ask.maxWait : 0)) {
      if (ask.end !== 'refused') differ(`should be refused, and was ${ask.end}`)
      else if (ask.endedAt! > at + late) differ('refused late')
      else if (ask.cost <= capacity && ask.retryAfter !== toldFor(wait))
        differ(`told ${ask.retryAfter} microseconds instead of ${toldFor(wait)}`)
      continue
    }
    debt += ask.cost * window
    const due = at + wait
    if (ask.end !== 'started') differ(`should start, and was ${ask.end}`, due)
    else if (ask.endedAt! < due) differ(`started ${due - ask.endedAt!} microseconds early`, due)
    else if (ask.endedAt! > due + late) differ(`started ${ask.endedAt! - due} microseconds late`, due)
  }
  for (const { id, endedAt } of book.asks.filter(ask => !calls.has(ask.id)))
    found.push({ id, what: 'did not ask the store', due: undefined, ended: endedAt })
  return found
}

// `retryAfterMs` is in whole milliseconds, rounded up.
function toldFor(wait: Ask['maxWait']): number {
  return Math.ceil(wait / 1000) * 1000
}
