import { type Evaluation, type Group, penaltyUntil, remaining, resetAt, waitFor } from '@halt/core/store'

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
      ]
    }),
  }
}
