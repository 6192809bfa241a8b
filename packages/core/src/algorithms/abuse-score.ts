import type { State } from './rule.ts'

/** A penalty's configuration compiled to numbers. Scores are in millionths of a point, times in microseconds. */
export interface PenaltyRule {
  /** The score from which a violation starts a penalty. Both are compared rounded to a tenth of a point. */
  readonly threshold: number
  /** How long a penalty lasts. */
  readonly duration: number
  /** The score that one microsecond takes away. */
  readonly decay: number
  /** The score that a refusal adds. */
  readonly severity: number
  /** How long after a violation further refusals are not scored. */
  readonly cooldown: number
  /** How many times longer each further penalty lasts; 1 for no escalation. */
  readonly factor: number
  /** The longest penalty that escalation makes. */
  readonly maxDuration: number
}

/**
 * Abuse score: points that violations add and that decay linearly. At the threshold a penalty starts.
 *
 * State: `[until, score, last, violations, level, fresh]`.
 * - `until`: the instant at which the penalty ends; 0 when there was none
 * - `score`, `last`: the score at the last violation, and the instant of this violation
 * - `violations`: the number of violations
 * - `level`: the number of penalties that the violations started
 * - `fresh`: the instant from which the state equals a fresh one: the penalty has ended, the score has decayed to 0, and the
 *   cool-down is over
 *
 * Source: a leaky bucket used as a meter, whose level is the score and which leaks `decay` per microsecond.
 */
export const abuseScore = {
  /** Whether a penalty is active at `now`. */
  active: (state: State, now: number): boolean => state.length > 0 && now < state[0]!,

  /** The instant at which the last penalty ends or ended; 0 when there was none. */
  until: (state: State): number => (state.length === 0 ? 0 : state[0]!),

  /** The instant of the last violation; 0 when there was none. */
  last: (state: State): number => (state.length === 0 || state[3] === 0 ? 0 : state[2]!),

  /** The number of violations. */
  violations: (state: State): number => (state.length === 0 ? 0 : state[3]!),

  /** The instant from which the state equals a fresh one. */
  freshAt: (state: State): number => (state.length === 0 ? 0 : state[5]!),

  /** Whether the last violation, at `now`, has started a penalty. False if a penalty was active already. */
  starts: (state: State, now: number, rule: PenaltyRule): boolean =>
    state.length > 0 && state[4]! > 0 && state[0] === now + durationAt(state[4]! - 1, rule),

  /** The score at `now`. */
  score(state: State, now: number, rule: PenaltyRule): number {
    if (state.length === 0) return 0
    const left = state[1]! - Math.floor((now > state[2]! ? now - state[2]! : 0) * rule.decay)
    return left > 0 ? left : 0
  },

  /** Whether a refusal at `now` counts as a new violation, because the cool-down of the last one is over. */
  scores: (state: State, now: number, rule: PenaltyRule): boolean =>
    state.length === 0 || state[3] === 0 || now >= state[2]! + rule.cooldown,

  /** Adds a violation. Starts a penalty if the score reaches the threshold and no penalty is active. */
  record(state: State, now: number, severity: number, rule: PenaltyRule): void {
    const score = abuseScore.score(state, now, rule) + severity
    if (state.length === 0) state.push(0, 0, 0, 0, 0, 0)
    state[1] = score
    if (now > state[2]!) state[2] = now
    state[3]! += 1
    if (now >= state[0]! && Math.floor(score / 1e5 + 0.5) >= Math.floor(rule.threshold / 1e5 + 0.5)) {
      state[0] = now + durationAt(state[4]!, rule)
      state[4]! += 1
    }
    state[5] = freshAt(state, rule)
  },

  /** Starts a penalty of `duration` microseconds, whatever the score. Never shortens a longer one. */
  apply(state: State, now: number, duration: number, rule: PenaltyRule): void {
    if (state.length === 0) state.push(0, 0, now, 0, 0, 0)
    if (now + duration > state[0]!) state[0] = now + duration
    state[5] = freshAt(state, rule)
  },
}

function freshAt(state: State, rule: PenaltyRule): number {
  const decayTime =
    rule.decay > 0 ? Math.min(Math.ceil(state[1]! / rule.decay), LONGEST_DECAY) : LONGEST_DECAY
  return Math.max(
    state[0]!,
    state[2]! + Math.max(state[1]! > 0 ? decayTime : 0, state[3]! > 0 ? rule.cooldown : 0),
  )
}

/** The duration of a penalty that follows `level` others. Multiplies in a loop, because `**` may differ from Lua's by an ulp. */
function durationAt(level: number, rule: PenaltyRule): number {
  let duration = rule.duration
  for (let i = 0; i < level && duration < rule.maxDuration; i++) duration *= rule.factor
  return Math.min(Math.floor(duration), rule.maxDuration)
}

/** A score is kept for at most a year after the last violation, even if it never decays. */
const LONGEST_DECAY = 366 * 86_400e6
