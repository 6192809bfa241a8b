import {
  algorithms,
  type Demand,
  type Evaluation,
  type Group,
  penaltyUntil,
  remaining,
  resetAt,
  type Rule,
  shareCodes,
  type State,
  waitFor,
} from '@halt/core/store'

/**
 * The fields of an evaluation that users can see. Stores that decide alike give equal readings, whatever they still keep of counters that
 * have ended.
 */
export function readings(group: Group, evaluation: Evaluation): unknown {
  return {
    now: evaluation.now,
    allowed: evaluation.allowed,
    repeated: evaluation.repeated,
    startsIn: evaluation.startsIn,
    grants: evaluation.grants,
    penalty: [penaltyUntil(evaluation), ...evaluation.penalty],
    demands: group.demands.map((demand, i) => {
      const state = evaluation.states[i] ?? []
      return [
        evaluation.passes[i],
        evaluation.starts[i] === true,
        remaining(demand, state, evaluation),
        resetAt(demand, state, evaluation),
        demand.cost < 0 ? 0 : waitFor(demand, state, evaluation),
        lineIn(state, demand.rule, evaluation.now),
        ownIn(demand, evaluation.shares?.[i] ?? [], evaluation.now),
        algorithms[demand.rule.code].holds?.held(state, evaluation.now),
      ]
    }),
  }
}

/** The line of a bucket that is not over. */
function lineIn(state: State, rule: Rule, now: number): unknown {
  const algorithm = algorithms[rule.code]
  const read = algorithm.line?.read(state, now, rule)
  const freshAt = algorithm.freshAt(state)
  return read && freshAt > now ? { ...read, freshAt } : undefined
}

/** A tenant's own counter: of a bucket the tag, while it counts, and its clock; of a pool of permits how many the tenant holds. */
function ownIn({ terms }: Demand, state: State, now: number): unknown {
  if (terms?.share === undefined) return undefined
  const { rule } = terms.share
  if (rule.code !== shareCodes['token-bucket']) return algorithms[rule.code].used(state, now, rule)
  return state.length > 0 && state[1]! > now ? state : state.slice(4)
}
