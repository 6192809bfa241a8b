// What a process hears of the clocks of shared buckets, so that its callers need not ask what another one was just told.
import { debtAt, type Rule, standingOf } from '../algorithms/index.ts'
import { BoundedMap } from '../base/bounded-map.ts'
import type { Group } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, ruleInForce } from '../store/reading.ts'
import { poolAt } from '../store/shares.ts'
import { isTurn } from './in-line.ts'
import type { Tickets } from './tickets.ts'

/** The clock of a bucket, and the bucket's debt, at an instant of the store's clock. */
interface News {
  readonly reading: number
  readonly epoch: number
  readonly debt: number
  readonly pool: Rule
  readonly at: number
  /** When the process heard it, by its own clock. */
  readonly heardAt: number
}

// A process has few shared buckets.
const MOST_POOLS = 1000
/** The indexes of the clock's reading and epoch in a tag's state. */
const [READING, CLOCK] = [4, 5] as const

/** The latest news of the clocks of shared buckets. */
export class TurnNews {
  readonly #latest = new BoundedMap<News>(MOST_POOLS)

  /** Hears an evaluation of a group. `arrived` is an instant of this process's clock. */
  hear({ demands }: Group, evaluation: Evaluation, arrived: number): void {
    for (const [i, demand] of demands.entries()) {
      const pool = isTurn(demand) ? poolAt(demands, i) : -1
      const state = evaluation.states[i] ?? []
      if (pool < 0 || state.length <= CLOCK) continue
      const rule = ruleInForce(demands[pool]!, evaluation)
      const { now, states } = evaluationAt(evaluation, i)
      this.#latest.set(keyOfDemand(demands[pool]!), {
        reading: state[READING]!,
        epoch: state[CLOCK]!,
        debt: debtAt(states[pool] ?? [], now, rule),
        pool: rule,
        at: now,
        heardAt: arrived,
      })
    }
  }

  /**
   * The instant until which the turn of a caller cannot come, as others were told after it. Undefined if nobody was, or if it may have
   * come.
   *
   * @param since when the caller was told itself. All instants are of this process's clock
   */
  notBefore(
    tickets: Tickets,
    since: number,
  ): { readonly instant: number; readonly heardAt: number } | undefined {
    let found: { readonly instant: number; readonly heardAt: number } | undefined
    for (const { ticket, pool: key, units, until } of tickets.values()) {
      const news = this.#latest.get(key)
      if (news === undefined || news.heardAt <= since || news.epoch !== ticket.epoch) continue
      const { reading, epoch, debt, pool, at, heardAt } = news
      const { wait } = standingOf([0, until, ticket.tag, epoch, reading, epoch], at, units, { pool, debt })
      if (wait > 0 && heardAt + wait > (found?.instant ?? 0)) found = { instant: heardAt + wait, heardAt }
    }
    return found
  }
}
