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
