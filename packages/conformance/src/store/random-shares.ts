import { codes, type Demand, type Evaluation, Mode, type Rule, shareRuleOf, ticketOf } from '@halt/core/store'
import { compileRule } from '@halt/core/testing'

import type { Charged } from './charged.ts'
import type { Pick } from './random-terms.ts'

const SECOND = 1e6

/** The rules of two buckets and of a pool of permits that tenants share, each with other numbers now and then. */
const POOLS: readonly (readonly Rule[])[] = [
  {
    algorithm: 'token-bucket',
    counter: 'p_pool',
    sizes: [
      [10, 10],
      [20, 40],
      [10, 1],
    ],
  },
  {
    algorithm: 'token-bucket',
    counter: 'p_line',
    sizes: [
      [3, 1],
      [4, 3],
      [100, 5],
    ],
  },
  {
    algorithm: 'concurrency',
    counter: 'p_permits',
    sizes: [
      [8, 8],
      [40, 40],
      [3, 3],
    ],
  },
].map(({ algorithm, counter, sizes }) =>
  sizes.map(([limit, capacity]) =>
    compileRule(
      {
        algorithm: algorithm as 'concurrency',
        counter,
        limit: limit!,
        capacity: capacity!,
        window: 2 * SECOND,
        precision: 64,
        cooldown: 0,
        floor: 1,
      },
      0.5,
    ),
  ),
)

/**
 * Picks the demand of a tenant on a pool. Some have a ticket of an earlier refusal. Now and then an operator acts
 * on the pool alone, whose numbers may have changed since the last charge.
 */
export function randomShare(
  random: () => number,
  pick: Pick,
  subject: string,
  past: readonly Charged[],
): Demand[] {
  const pools = pick(POOLS)
  const pool = random() < 0.8 ? pools[0]! : pick(pools)
  if (pool.code === codes['token-bucket'] && random() < 0.1) {
    const rule = { ...pool, cooldown: pick([0, 1, 200_000, 2 * SECOND]) }
    return [{ rule, subject, cost: 0, mode: pick([Mode.BLOCK, Mode.LOOK, Mode.RESET]), penalized: false }]
  }
  const tenant = pick(['user:1', 'user:1', 'user:2', 'user:3', 'api-key:#x y'])
  const cost = pick([1, 1, 1, 1, 2, 3, 0, 7, 12])
  const mode = pick([...Array<Mode>(12).fill(Mode.CHARGE), Mode.SHADOW, Mode.DEFER, Mode.PEEK])
  const isPatient = mode !== Mode.PEEK && random() < 0.5
  const maxWait = isPatient ? pick([300_000, SECOND, 4 * SECOND, 60 * SECOND]) : undefined
  const least = cost > 1 && mode !== Mode.PEEK && random() < 0.3 ? 1 : undefined
  const weight = pick([1, 1, 1, 5, 100])
  const rule = shareRuleOf(pool, tenant)
  const ticket = isPatient && random() < 0.8 ? ticketIn(pick, past, rule, cost, random() < 0.1) : undefined
  const share = {
    rule,
    weight,
    ticket,
    wantsTicket: isPatient && ticket === undefined && random() < 0.8,
  }
  const penalized = random() < 0.2
  return [{ rule: pool, subject, cost, mode, penalized, terms: { maxWait, least, share } }]
}

/** A ticket that the store gave for this share, and sometimes a wrong one. */
function ticketIn(
  pick: Pick,
  past: readonly Charged[],
  rule: Rule,
  cost: number,
  isWrong: boolean,
): ReturnType<typeof ticketOf> {
  const tickets = past.flatMap(({ group, evaluation }) => ticketsOf(group.demands, evaluation, rule, cost))
  if (tickets.length === 0) return undefined
  const { tag, epoch } = pick(tickets)
  return isWrong
    ? { tag: Math.max(0, tag + pick([1e6, -1e6, 1e13])), epoch: epoch + pick([0, 1]) }
    : { tag, epoch }
}

function ticketsOf(
  demands: readonly Demand[],
  evaluation: Evaluation,
  { counter }: Rule,
  cost: number,
): NonNullable<ReturnType<typeof ticketOf>>[] {
  return demands.flatMap((demand, i) => {
    if (demand.terms?.share?.rule.counter !== counter || demand.cost !== cost || demand.mode !== Mode.CHARGE)
      return []
    return ticketOf({ demands }, i, evaluation) ?? []
  })
}
