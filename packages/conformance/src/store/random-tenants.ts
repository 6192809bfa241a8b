import { algorithms, type Demand, type Group, Mode, type Rule, shareRuleOf, ticketOf } from '@halt/core/store'
import { compileRule } from '@halt/core/testing'

import type { Charged } from './charged.ts'
import { randomNumbers } from './random-numbers.ts'
import { randomFollowUp } from './random-places.ts'
import type { Pick } from './random-terms.ts'

const SECOND = 1e6
const DAY = 86_400 * SECOND
/** After so many steps of a history other tenants want another pool. */
const EACH = 50

/** One act of a tenant: time passes, then it asks. */
export interface TenantStep {
  /** Microseconds since the step before. */
  readonly advance: number
  /** Makes the groups. `past` are the latest charges. */
  readonly groups: (past: readonly Charged[]) => Group[]
}

/** A pool that three tenants want: of any size and speed, and now and then with other numbers. */
interface Town {
  readonly pool: Rule
  readonly changed: Rule
  readonly tenants: readonly (readonly [name: string, weight: number])[]
  /** The time in which one unit comes back, or a permit ends. Microseconds. */
  readonly unit: number
}

/**
 * Writes a random history of tenants that share a pool: they take more than comes back, wait with tickets and in line, give back,
 * and come again when their tags are all but forgotten.
 */
export function randomTenants(seed: number, steps: number): TenantStep[] {
  const random = randomNumbers(seed + 7000)
  const pick: Pick = list => list[Math.floor(random() * list.length)]!
  const towns = Array.from({ length: Math.ceil(steps / EACH) }, (_, i) =>
    randomTown(random, pick, `p_town${i}`),
  )
  return towns.flatMap((town, i) => stepsOf(town, Math.min(EACH, steps - i * EACH), random, pick))
}

function stepsOf(
  { pool, changed, tenants, unit }: Town,
  steps: number,
  random: () => number,
  pick: Pick,
): TenantStep[] {
  const { capacity } = pool
  const round = capacity * unit
  const ask = (past: readonly Charged[]): Group[] => {
    const rule = random() < 0.95 ? pool : changed
    const [tenant, weight] = pick(tenants)
    const most = Math.ceil(capacity / 2)
    const cost = pick([1, 1, 1, 2, 3, Math.ceil(capacity / 7), most, most - 1, capacity, capacity + 1, 0])
    const maxWait = pick([undefined, unit, 3 * unit, round, 20 * round, DAY])
    const own = shareRuleOf(rule, tenant)
    const ticket = random() < 0.5 ? undefined : lastTicket(past, own, cost)
    const share = { rule: own, weight, ticket, wantsTicket: ticket === undefined && random() < 0.4 }
    const mode = pick([...Array<Mode>(9).fill(Mode.CHARGE), Mode.SHADOW, Mode.PEEK])
    const least = cost > 1 && mode !== Mode.PEEK && random() < 0.2 ? 1 : undefined
    const terms = mode === Mode.PEEK ? { share } : { maxWait, least, share }
    return [{ demands: [{ rule, subject: 'shared:api', cost, mode, penalized: false, terms }] }]
  }
  return Array.from({ length: steps }, () => {
    const some = [unit, unit / 7, 2 * unit, 3 * unit, round / 3, round / 2, round]
    const long = 16 * round + pick([0, 58, 60, 61]) * SECOND
    const advance = Math.ceil(pick([0, 0, 0, 1, ...some, ...some, random() < 0.2 ? long : unit]))
    const acts = Array.from({ length: random() < 0.2 ? 3 : 1 }, () =>
      pick([
        ask,
        ask,
        ask,
        ask,
        ask,
        givesBack,
        (past: readonly Charged[]) => randomFollowUp(random, pick, past),
      ]),
    )
    return {
      advance,
      groups: past =>
        acts.flatMap(act => (act === ask ? ask(past) : past.length === 0 ? [] : act(past, pick))),
    }
  })
}

function randomTown(random: () => number, pick: Pick, counter: string): Town {
  const algorithm = pick(['token-bucket', 'concurrency'] as const)
  const limit = pick([1, 3, 7, 10, 23, 40, 100, 100, 1000])
  const capacity = algorithm === 'concurrency' ? limit : pick([limit, limit, Math.ceil(limit / 3), 3 * limit])
  const window = pick([1, 2, 10, 60, 3600]) * SECOND
  const ruleOf = (factor: number): Rule =>
    compileRule({
      algorithm,
      counter,
      limit: factor * limit,
      capacity: factor * capacity,
      window,
      precision: 64,
      cooldown: 0,
      floor: 1,
    })
  const names = ['user:1', 'user:2', 'org:3 x']
  const tenants = names.map(name => [name, pick([1, 1, 2, 5, 100])] as const)
  const unit = algorithm === 'concurrency' ? window / 4 : window / limit
  return { pool: ruleOf(1), changed: ruleOf(2), tenants, unit }
}

/** The ticket that a tenant was told last for so many units. */
function lastTicket(past: readonly Charged[], own: Rule, cost: number): ReturnType<typeof ticketOf> {
  const last = past.findLast(({ group: { demands } }) => {
    const [demand] = demands
    return demand!.terms?.share?.rule.counter === own.counter && demand!.cost === cost
  })
  return last && last.group.demands[0]!.mode === Mode.CHARGE
    ? ticketOf(last.group, 0, last.evaluation)
    : undefined
}

/** A tenant gives back a part of what it took, or has used more. */
function givesBack(past: readonly Charged[], pick: Pick): Group[] {
  const { group, evaluation } = pick(past)
  const demand = group.demands[0]!
  const { rule, mode, terms } = demand
  if (!evaluation.allowed || mode === Mode.PEEK || mode === Mode.SETTLE || terms?.share === undefined)
    return []
  const algorithm = algorithms[rule.code]
  const taken = evaluation.grants?.[0] ?? demand.cost
  const cost = pick([-1, -taken, -Math.ceil(taken / 2), ...(algorithm.isFlight ? [] : [1, taken])])
  if (cost === 0) return []
  const chargedTo = algorithm.chargedTo(evaluation.states[0] ?? [], evaluation.now, rule)
  const share = { ...terms.share, ticket: undefined, wantsTicket: false }
  return [{ demands: [{ ...demand, mode: Mode.SETTLE, cost, chargedTo, terms: { share } } satisfies Demand] }]
}
