import type { State } from './rule.ts'

/** A penalty's configuration compiled to numbers; scores in millionths of a point, times in microseconds. */
export interface PenaltyRule {
  /** Score from which a violation starts a penalty, rounded to a tenth of a point. */
  readonly threshold: number
  /** How long a penalty lasts. */
  readonly duration: number
  /** What a microsecond takes off the score. */
  readonly decay: number
  /** What one violation adds when a refusal is scored. */
  readonly severity: number
  /** A refusal within this long of the last violation is not scored again. */
  readonly cooldown: number
  /** Each further penalty lasts this many times longer; 1: no escalation. */
  readonly factor: number
  /** The longest that escalation makes a penalty. */
  readonly maxDuration: number
}

/**
 * An abuse score that decays linearly, and the penalty it starts.
 *
 * State: `[until, score, last, violations, level, fresh]`: when the penalty ends (0: none), the score at the last
 * violation, its instant, how many violations there were, how many penalties they started, and the instant from which
 * all this equals a fresh state: no penalty, no score left, the cool-down over.
 */
export const abuseScore = {
  active: (state: State, now: number): boolean => state.length > 0 && now < state[0]!,

  /** When the last penalty ends, or ended; 0 when there was none. */
  until: (state: State): number => (state.length === 0 ? 0 : state[0]!),

  /** The instant of the last violation; 0 when there was none. */
  last: (state: State): number => (state.length === 0 || state[3] === 0 ? 0 : state[2]!),

  /** How many violations there were. */
  violations: (state: State): number => (state.length === 0 ? 0 : state[3]!),

  /** The instant from which the state equals a fresh one. */
  freshAt: (state: State): number => (state.length === 0 ? 0 : state[5]!),

  /** Whether a violation at `now`, the last, has started a penalty: not when one ran already. */
  starts: (state: State, now: number, rule: PenaltyRule): boolean =>
    state.length > 0 && state[4]! > 0 && state[0] === now + lasting(state[4]! - 1, rule),

  /** The score at `now`. */
  score(state: State, now: number, rule: PenaltyRule): number {
    if (state.length === 0) return 0
    const left = state[1]! - Math.floor((now > state[2]! ? now - state[2]! : 0) * rule.decay)
    return left > 0 ? left : 0
  },

  /** Whether a refusal at `now` is a new violation, not the echo of the last. */
  scores: (state: State, now: number, rule: PenaltyRule): boolean =>
    state.length === 0 || state[3] === 0 || now >= state[2]! + rule.cooldown,

  /** Adds a violation; starts a penalty when the score reaches the threshold and none is active. */
  record(state: State, now: number, severity: number, rule: PenaltyRule): void {
    const score = abuseScore.score(state, now, rule) + severity
    if (state.length === 0) state.push(0, 0, 0, 0, 0, 0)
    state[1] = score
    if (now > state[2]!) state[2] = now
    state[3]! += 1
    if (now >= state[0]! && Math.floor(score / 1e5 + 0.5) >= Math.floor(rule.threshold / 1e5 + 0.5)) {
      state[0] = now + lasting(state[4]!, rule)
      state[4]! += 1
    }
    state[5] = freshAt(state, rule)
  },

  /** Starts a penalty of `duration` at once, whatever the score. */
  apply(state: State, now: number, duration: number, rule: PenaltyRule): void {
    if (state.length === 0) state.push(0, 0, now, 0, 0, 0)
    if (now + duration > state[0]!) state[0] = now + duration
    state[5] = freshAt(state, rule)
  },
}

function freshAt(state: State, rule: PenaltyRule): number {
  const forgotten = rule.decay > 0 ? Math.min(Math.ceil(state[1]! / rule.decay), FOREVER) : FOREVER
  return Math.max(
    state[0]!,
    state[2]! + Math.max(state[1]! > 0 ? forgotten : 0, state[3]! > 0 ? rule.cooldown : 0),
  )
}

/** The length of the next penalty. Multiplied out: `**` may differ from Lua's by an ulp. */
function lasting(level: number, rule: PenaltyRule): number {
  let duration = rule.duration
  for (let i = 0; i < level && duration < rule.maxDuration; i++) duration *= rule.factor
  return Math.min(Math.floor(duration), rule.maxDuration)
}

// A score that never decays is kept for a year after the last violation.
const FOREVER = 366 * 86_400e6
