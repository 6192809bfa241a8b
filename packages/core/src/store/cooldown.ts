import { algorithmOf, type Rule, type State } from '../algorithms/index.ts'

/** The instant at which a counter's cool-down ends, microseconds; 0 when it has none. */
export function blockedUntil(state: State): number {
  return state.length === 0 ? 0 : state[0]!
}

/** The instant from which a counter, its cool-down included, equals a fresh one. Microseconds. */
export function freshAt(state: State, rule: Rule): number {
  const fresh = algorithmOf(rule).freshAt(state)
  const cooldown = blockedUntil(state)
  return fresh > cooldown ? fresh : cooldown
}

/**
 * Whether a refusal at `now` starts a cool-down. A refusal during a cool-down does not extend it. A cost above the capacity
 * starts no cool-down, because it can never pass.
 */
export function startsCooldown(state: State, now: number, cost: number, rule: Rule): boolean {
  return rule.cooldown > 0 && cost <= rule.capacity && now >= blockedUntil(state)
}
