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

/** A store on a clock that the test moves, and short ways to ask it. */
export interface Bench {
  /** The clock, microseconds. */
  now: number
  readonly ask: (group: Group) => Promise<Evaluation>
  /** Sends one demand, and reads the answer. */
  readonly take: (rule: Rule, cost?: number, more?: Partial<Demand>) => Promise<Answer>
  readonly store: Store
}

/** The answer to one demand. */
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

/** Makes a rule: 10 units per 10 seconds by default. Times are in seconds. */
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

/** Makes a demand of a rule: a charge on user 42 by default. */
export function demandOf(rule: Rule, cost = 1, more: Partial<Demand> = {}): Demand {
  return { rule, subject: 'user:42', cost, mode: Mode.CHARGE, penalized: false, ...more }
}

/** Runs a test on a new store, and ends the store. */
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

/** Reads the answer to the demand at an index of a group. */
export function answerOf(demand: Demand, evaluation: Evaluation, index = 0): Answer {
  const state = evaluation.states[index] ?? []
  return {
    passes: evaluation.passes[index] === true,
    remaining: remaining(demand, state, evaluation),
    wait: demand.cost < 0 ? 0 : waitFor(demand, state, evaluation),
    resetAt: resetAt(demand, state, evaluation),
    evaluation,
  }
}
