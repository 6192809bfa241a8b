// What a process hears of the clocks of shared buckets, so that its callers need not ask what another one was just told.
import { debtAt, type Rule, type Lead, leadOf } from '../algorithms/index.ts'
import { BoundedMap } from '../base/bounded-memory.ts'
import type { Group } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, ruleInForce } from '../store/reading.ts'
import { isTurn, type Tickets } from './tickets.ts'

/** The clock of a bucket, and the bucket's debt, at an instant of the store's clock. */
interface News extends Reading {
  readonly epoch: number
  readonly debt: number
  readonly pool: Rule
  /** When the process heard it, by its own clock. */
  readonly heardAt: number
  /** Earlier readings. The clock's pace is measured since the first. */
  readonly before: readonly [Reading, Reading]
}

/** A reading of a virtual clock, and its instant in microseconds of the store's clock. */
interface Reading {
  readonly reading: number
  readonly at: number
}

// A process has few shared buckets.
const MOST_POOLS = 1000
/** The indexes of the clock's reading and epoch in a tag's state. */
const [READING, CLOCK] = [4, 5] as const
/** The time over which the pace of a clock is measured at least: that in which so many units come back, and microseconds. */
const [PACED_UNITS, PACED] = [64, 500_000] as const
/** The share of the expected wait after which a caller asks. The clock may run faster than it did. */
const EARLY = 0.6
/** The longest time for which a caller trusts the pace: those who made the clock slow may have left. Microseconds. */
const LOOK = 1e6

/** A caller with tickets that asks again later. */
export interface TicketHolder {
  readonly tickets: Tickets | undefined
  /** Called when its turn has come by the news. */
  turnCame(): void
}

/** The latest news of the clocks of shared buckets. Instants are of this process's clock. */
export class TurnNews {
  readonly #latest = new BoundedMap<News>(MOST_POOLS)
  readonly #holders = new Set<TicketHolder>()

  /** Tells a caller when its turn has come by the news that others get, until {@link forget}. */
  follow(caller: TicketHolder): void {
    this.#holders.add(caller)
  }

  /** Ends what {@link follow} began. */
  forget(caller: TicketHolder): void {
    this.#holders.delete(caller)
  }

  /** Hears an evaluation of a group. `arrived` is an instant of this process's clock. */
  observe({ demands }: Group, evaluation: Evaluation, arrived: number): void {
    for (const [i, demand] of demands.entries()) {
      const state = evaluation.shares?.[i] ?? []
      if (!isTurn(demand) || state.length <= CLOCK) continue
      const pool = ruleInForce(demand, evaluation)
      const { now, states } = evaluationAt(evaluation, i)
      this.#note(keyOfDemand(demand), {
        reading: state[READING]!,
        epoch: state[CLOCK]!,
        debt: debtAt(states[i] ?? [], now, pool),
        pool,
        at: now,
        heardAt: arrived,
      })
    }
  }

  #note(key: string, news: Omit<News, 'before'>): void {
    const last = this.#latest.get(key)
    const isSame = last?.epoch === news.epoch
    const isEarlier = isSame && last.at > news.at
    // Answers may come in another order than the store gave them. A longer step back is that of the store's clock.
    if (isEarlier && last.at - news.at < LOOK) return
    const [first, second] = isSame && !isEarlier ? last.before : [news, news]
    const { unit, rate } = news.pool
    const isPaced = news.at - second.at > Math.max(PACED, (PACED_UNITS * unit) / rate)
    for (const caller of this.#holders) if (isDue(caller, key, news)) caller.turnCame()
    const { reading, at } = news
    this.#latest.set(key, { ...news, before: isPaced ? [second, { reading, at }] : [first, second] })
  }

  /** The instant until which the turn of a caller cannot come, by the latest news; 0 if it may have come, or if nobody knows. */
  notBefore(tickets: Tickets): number {
    return this.#latestOf(tickets, ({ wait }) => wait)
  }

  /**
   * The instant at which a caller asks again; 0 as {@link notBefore}. The store tells the wait of a caller that nobody precedes, but
   * others do. So it waits longer, if the clock was slower so far.
   *
   * A caller that asks late is served late, and meanwhile the clock passes the turns of others. Then many start at once, the clock stands still,
   * and all seem to have long to wait: shares would swing. So a caller asks early, and at once if news say that its turn has come.
   */
  expected(tickets: Tickets): number {
    return this.#latestOf(tickets, ({ ahead, wait }, news) => Math.max(wait, patienceOf(ahead, news)))
  }

  #latestOf(tickets: Tickets, waitOf: (standing: Lead, news: News) => number): number {
    let latest = 0
    for (const { ticket, pool: key, units, until } of tickets.values()) {
      const news = this.#latest.get(key)
      if (news === undefined || news.epoch !== ticket.epoch) continue
      const { reading, epoch, debt, pool, at, heardAt } = news
      const standing = leadOf([0, until, ticket.tag, epoch, reading, epoch], at, units, { pool, debt })
      if (standing.wait > 0) latest = Math.max(latest, heardAt + waitOf(standing, news))
    }
    return latest
  }
}

/** Whether the turn of a caller has come by the clock of a bucket. */
function isDue({ tickets }: TicketHolder, key: string, { reading, epoch }: Omit<News, 'before'>): boolean {
  for (const { ticket, pool } of tickets?.values() ?? [])
    if (pool === key) return ticket.epoch !== epoch || ticket.tag <= reading
  return false
}

/** How long a caller waits whose turn is so far ahead, by the pace of the clock. Microseconds. */
function patienceOf(ahead: number, { reading, at, before: [from], pool }: News): number {
  if (at <= from.at || reading <= from.reading) return 0
  const wait = (EARLY * ahead * (at - from.at)) / (reading - from.reading)
  return Math.floor(Math.min(wait - pool.unit / pool.rate, LOOK))
}
