import { algorithmOf, isInLine } from '../algorithms/index.ts'
import { BoundedMap } from '../base/bounded-memory.ts'
import { eventLoop } from '../base/event-loop.ts'
import type { Demand, Group } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'

/** So many calls are made in one turn of the event loop at most, which takes some ten milliseconds. */
export const SLICE = 500

/** Resolves in a later turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => eventLoop.afterRead(resolve))
}

/**
 * Waits for calls that can fail independently, such as calls to the nodes of a cluster. Rejects only if all of them failed.
 */
export async function settled(calls: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(calls)
  const failed = results.filter(result => result.status === 'rejected')
  if (failed.length > 0 && failed.length === calls.length) throw failed[0]?.reason as Error
}

const MAX_ENTRIES = 10_000

interface Correction {
  readonly demand: Demand
  /**
   * When the correction becomes useless, by this process's clock in microseconds: a refund then has no effect, and a charge would go
   * to another window. Quotas use the end of their period instead.
   */
  readonly until: number
}

/**
 * Releases, refunds and other corrections that the store certainly did not apply, kept until the store is back. Bounded: the
 * correction whose last change is oldest is dropped first.
 */
export class PendingCorrections {
  readonly #pending = new BoundedMap<Correction>(MAX_ENTRIES)

  get size(): number {
    return this.#pending.size
  }

  /**
   * Adds the corrections of a call that failed.
   *
   * @param now this process's clock, in microseconds
   */
  add({ demands }: Group, now: number): void {
    for (const demand of demands) {
      // All corrections of one part of a counter are summed up, over any number of requests.
      const { rule, terms } = demand
      const to = terms?.held?.to ?? 0
      const { position = -1, born = 0 } = terms?.place ?? {}
      const numbers = [
        demand.edges?.[1] ?? 0,
        demand.chargedTo ?? 0,
        to,
        terms?.share?.rule.counter ?? '',
        terms?.share?.weight ?? 0,
        terms?.share?.ticket === undefined,
        position,
        born,
      ]
      const key = `${keyOfDemand(demand)} ${numbers.join(' ')}`
      const before = this.#pending.get(key)?.demand
      const cost = demand.cost + (before?.cost ?? 0)
      const units = (terms?.held?.units ?? 0) + (before?.terms?.held?.units ?? 0)
      const summed =
        units === 0 ? { ...demand, cost } : { ...demand, cost, terms: { ...terms, held: { to, units } } }
      if (cost === 0 && units === 0) this.#pending.delete(key)
      else this.#pending.set(key, { demand: summed, until: now + algorithmOf(rule).correctableFor(rule) })
    }
  }

  /** Drops the corrections of a counter that was reset: they would correct what was charged since. A line and its places outlive it. */
  forget(key: string): void {
    for (const [name, { demand }] of this.#pending)
      if (keyOfDemand(demand) === key && !isInLine(demand.terms?.place)) this.#pending.delete(name)
  }

  /** Drops the corrections that have become useless. */
  dropLate(now: number): void {
    for (const [key, { until }] of this.#pending) if (now >= until) this.#pending.delete(key)
  }

  /**
   * Removes the oldest corrections and returns those that are still useful, one group per correction.
   *
   * @param now this process's clock, in microseconds
   * @param storeNow the store's clock, in microseconds
   * @param most how many are removed at most
   */
  take(now: number, storeNow: number, most: number): Group[] {
    const groups: Group[] = []
    let left = most
    for (const [key, { demand, until }] of this.#pending) {
      if (left-- === 0) break
      this.#pending.delete(key)
      const { edges } = demand
      if (edges === undefined ? now < until : storeNow < edges[1]) groups.push({ demands: [demand] })
    }
    return groups
  }
}
