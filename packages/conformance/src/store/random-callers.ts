import {
  algorithms,
  type Demand,
  type Edges,
  type Group,
  Mode,
  type Rule,
  shareRuleOf,
  type Terms,
  ticketOf,
} from '@halt/core/store'
import { compileRule } from '@halt/core/testing'

import { START } from './bench.ts'
import type { Charged } from './charged.ts'
import { randomUseOfHold } from './random-holds.ts'
import { randomNumbers } from './random-numbers.ts'
import { randomFollowUp } from './random-places.ts'
import type { Pick } from './random-terms.ts'

const SECOND = 1e6
const DAY = 86_400 * SECOND
/** After so many steps of a history others want another counter. */
const EACH = 50

/** Time passes, then one or a few callers ask. */
export interface CallerStep {
  /** Microseconds since the step before. */
  readonly advance: number
  /** Makes the groups. `past` are the latest charges. */
  readonly groups: (past: readonly Charged[]) => Group[]
}

/** A counter that three callers want: of any kind, size and speed, and now and then with other numbers. */
interface Scarce {
  readonly rule: Rule
  readonly changed: Rule
  /** The callers, by name and weight. */
  readonly callers: readonly (readonly [name: string, weight: number])[]
  /** The costs of their calls. */
  readonly costs: readonly number[]
  /** Whether they share it fairly. */
  readonly isShared: boolean
  /** About the time in which one unit comes back. Microseconds. */
  readonly unit: number
}

/**
 * Writes a random history of callers of one counter at a time: they want more than comes back, wait as long as they must, hold
 * units, give back, and come again when they are all but forgotten.
 */
export function randomCallers(seed: number, steps: number): CallerStep[] {
  const random = randomNumbers(seed + 7000)
  const pick: Pick = list => list[Math.floor(random() * list.length)]!
  let now = START
  return Array.from({ length: Math.ceil(steps / EACH) }, (_, i) => {
    const scarce = randomScarce(random, pick, `p_scarce${i}`)
    return Array.from({ length: Math.min(EACH, steps - i * EACH) }, () => {
      const advance = randomTime(scarce, random, pick)
      now += advance
      return stepAt(now, advance, scarce, random, pick)
    })
  }).flat()
}

function randomScarce(random: () => number, pick: Pick, counter: string): Scarce {
  const algorithm = pick([
    'token-bucket',
    'token-bucket',
    'token-bucket',
    'concurrency',
    'concurrency',
    'quota',
    'fixed-window',
    'sliding-window',
  ] as const)
  const limit = pick([1, 3, 7, 10, 23, 44, 100, 100, 1000])
  const capacity =
    algorithm === 'token-bucket' ? pick([limit, limit, Math.ceil(limit / 3), 3 * limit]) : limit
  const window = pick([1, 2, 10, 60, 3600]) * SECOND
  const isShared = (algorithm === 'token-bucket' || algorithm === 'concurrency') && random() < 0.7
  const cooldown = isShared ? 0 : pick([0, 0, Math.ceil(window / 3)])
  const ruleOf = (factor: number, parts: number): Rule =>
    compileRule({
      algorithm,
      counter,
      limit: factor * limit,
      capacity: factor * capacity,
      window,
      precision: algorithm === 'concurrency' ? 64 : parts,
      cooldown,
      floor: 1,
    })
  const callers = ['user:1', 'user:2', 'org:3 x'].map(name => [name, pick([1, 1, 2, 5, 100])] as const)
  const half = Math.ceil(capacity / 2)
  const costs = [
    1,
    1,
    1,
    pick([2, 3]),
    pick([half, half - 1]),
    pick([0, Math.ceil(capacity / 7), capacity, capacity + 1]),
  ]
  const unit = Math.ceil(window / Math.max(4, limit))
  return { rule: ruleOf(1, 10), changed: ruleOf(2, 3), callers, costs, isShared, unit }
}

function randomTime({ rule, unit }: Scarce, random: () => number, pick: Pick): number {
  const round = rule.capacity * unit
  const some = [0, 1, unit / 7, unit, 2 * unit, 3 * unit, round / 30, round / 10]
  // So long a bucket that is shared remembers its tenants, when it is full again.
  const kept = Math.max(16 * round, 60 * SECOND)
  const long = pick([round / 2, round, kept, kept + round / 2, kept + 2 * round])
  return Math.ceil(random() < 0.08 ? long : pick(some))
}

function stepAt(now: number, advance: number, scarce: Scarce, random: () => number, pick: Pick): CallerStep {
  const { rule, isShared } = scarce
  const acts = Array.from({ length: random() < 0.2 ? 3 : 1 }, () => {
    const kind = random()
    if (kind < 0.7) return (past: readonly Charged[]) => ask(now, scarce, past, random, pick)
    if (kind < 0.85) return (past: readonly Charged[]) => givesBack(past, pick)
    if (kind > 0.97) return () => byHand(now, rule, isShared, pick)
    return rule.code === 'q'
      ? (past: readonly Charged[]) => randomUseOfHold(random, pick, past)
      : (past: readonly Charged[]) => randomFollowUp(random, pick, past)
  })
  const groups = (past: readonly Charged[]): Group[] => {
    // The counter before is left alone.
    const own = past.filter(({ group }) => group.demands[0]!.rule.counter === rule.counter)
    return acts.flatMap(act => act(own))
  }
  return { advance, groups }
}

function ask(
  now: number,
  scarce: Scarce,
  past: readonly Charged[],
  random: () => number,
  pick: Pick,
): Group[] {
  const { rule: usual, changed, callers, costs, isShared, unit } = scarce
  const rule = random() < 0.93 ? usual : changed
  const { capacity } = usual
  const [caller, weight] = pick(callers)
  const cost = pick(costs)
  const mode = pick([...Array<Mode>(9).fill(Mode.CHARGE), Mode.SHADOW, Mode.PEEK])
  const round = capacity * unit
  const isHold = rule.code === 'q' && mode === Mode.CHARGE && random() < 0.6
  const terms: Terms = {
    ...(mode !== Mode.PEEK && {
      maxWait: pick([undefined, unit, 3 * unit, round, 20 * round, DAY]),
      least: cost > 1 && random() < 0.2 ? 1 : undefined,
    }),
    ...(isHold && { keptFor: pick([unit, 5 * unit, round / 8, round / 2, 2 * round]) }),
    ...(isShared
      ? { share: shareOf(rule, caller, weight, cost, past, random) }
      : { headroom: pick([undefined, undefined, 0.1, 0.5]) }),
  }
  return [
    {
      demands: [
        { rule, subject: 'shared:api', cost, mode, edges: edgesAt(now, rule), penalized: false, terms },
      ],
    },
  ]
}

function shareOf(
  pool: Rule,
  tenant: string,
  weight: number,
  cost: number,
  past: readonly Charged[],
  random: () => number,
): Terms['share'] {
  const rule = shareRuleOf(pool, tenant)
  // The last answer to the tenant for so many units.
  const last = past.findLast(({ group: { demands } }) => {
    const [demand] = demands
    return demand!.terms?.share?.rule.counter === rule.counter && demand!.cost === cost
  })
  const isPromised = last?.group.demands[0]!.mode === Mode.CHARGE && random() < 0.5
  const ticket = isPromised ? ticketOf(last.group, 0, last.evaluation) : undefined
  return { rule, weight, ticket, wantsTicket: ticket === undefined && random() < 0.4 }
}

function edgesAt(now: number, { code, window }: Rule): Edges | undefined {
  if (code !== 'q') return undefined
  const start = now - (now % window)
  return [start, start + window, start + 2 * window]
}

/** An operator pauses callers, resets the counter, or grants units. */
function byHand(now: number, rule: Rule, isShared: boolean, pick: Pick): Group[] {
  const mode = pick([Mode.BLOCK, Mode.RESET, ...(rule.code === 'q' ? [Mode.GRANT] : [])])
  if (isShared && rule.code === 'c') return []
  const cooldown = pick([0, 1, Math.ceil(rule.window / 5)])
  const cost = mode === Mode.GRANT ? pick([1, rule.limit, -1]) : 0
  return [
    {
      demands: [
        {
          rule: { ...rule, cooldown },
          subject: 'shared:api',
          cost,
          mode,
          edges: edgesAt(now, rule),
          penalized: false,
        },
      ],
    },
  ]
}

/** A caller gives back a part of what it took, or has used more. */
function givesBack(past: readonly Charged[], pick: Pick): Group[] {
  if (past.length === 0) return []
  const { group, evaluation } = pick(past)
  const demand = group.demands[0]!
  const { rule, mode, terms } = demand
  if (!evaluation.allowed || (mode !== Mode.CHARGE && mode !== Mode.SHADOW) || terms?.keptFor) return []
  const algorithm = algorithms[rule.code]
  const taken = evaluation.grants?.[0] ?? demand.cost
  const cost = pick([-1, -taken, -Math.ceil(taken / 2), ...(algorithm.isFlight ? [] : [1, taken])])
  if (cost === 0) return []
  const chargedTo = algorithm.chargedTo(evaluation.states[0] ?? [], evaluation.now, rule)
  const share = terms?.share && { ...terms.share, ticket: undefined, wantsTicket: false }
  const settled: Demand = { ...demand, mode: Mode.SETTLE, cost, chargedTo, terms: share && { share } }
  return [{ demands: [settled] }]
}
