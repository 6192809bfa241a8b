import {
  type Rule,
  type Demand,
  type Group,
  Mode,
  type Store,
  type Evaluation,
  remaining,
  resetAt,
  waitFor,
} from '@halt/core/store'
import { compileRule, type RuleNumbers } from '@halt/core/testing'

import type { StoreFactory } from './store-factory.ts'

/** A store on a clock of whole microseconds, and short ways to ask it. */
export interface Bench {
  /** Microseconds. */
  now: number
  readonly ask: (group: Group) => Promise<Evaluation>
  /** Asks one demand, and reads the answer. */
  readonly take: (rule: Rule, cost?: number, more?: Partial<Demand>) => Promise<Answer>
  readonly store: Store
}

/** One demand's answer, read. */
export interface Answer {
  readonly passes: boolean
  readonly remaining: number
  /** Microseconds. */
  readonly wait: number
  readonly resetAt: number
  readonly evaluation: Evaluation
}

/** Where the clock of every test begins, microseconds: a quarter of a second past the hour. */
export const START = 1_795_500_000_250_000

const SECOND = 1e6

/** A rule for a test: 10 units in 10 seconds unless said otherwise; times in seconds. */
export function ruleOf(
  algorithm: RuleNumbers['algorithm'],
  changes: Partial<RuleNumbers> = {},
  multiplier?: number,
): Rule {
  const { limit = 10, window = 10, cooldown = 0 } = changes
  const numbers = {
    algorithm,
    counter: `p_${algorithm}`,
    limit,
    capacity: limit,
    precision: 10,
    floor: 1,
    ...changes,
  }
  return compileRule({ ...numbers, window: window * SECOND, cooldown: cooldown * SECOND }, multiplier)
}

/** A demand of one rule on one subject. */
export function demandOf(rule: Rule, cost = 1, more: Partial<Demand> = {}): Demand {
  return { rule, subject: 'user:42', cost, mode: Mode.CHARGE, penalized: false, ...more }
}

/** Runs a test on a store of its own. */
export async function withStore(factory: StoreFactory, test: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = { now: START } as Bench
  const store = await factory.make(() => bench.now / 1000)
  const ask = async (group: Group): Promise<Evaluation> => store.evaluate(group)
  Object.assign(bench, {
    store,
    ask,
    async take(rule: Rule, cost = 1, more: Partial<Demand> = {}): Promise<Answer> {
      const demand = demandOf(rule, cost, more)
      return answerOf(demand, await ask({ demands: [demand] }))
    },
  })
  try {
    await test(bench)
  } finally {
    await factory.end?.(store)
  }
}

/** Reads the answer to a group's demand at `place`. */
export function answerOf(demand: Demand, evaluation: Evaluation, place = 0): Answer {
  const state = evaluation.states[place] ?? []
  return {
    passes: evaluation.passes[place] === true,
    remaining: remaining(demand, state, evaluation),
    wait: demand.cost < 0 ? 0 : waitFor(demand, state, evaluation),
    resetAt: resetAt(demand, state, evaluation),
    evaluation,
  }
}
