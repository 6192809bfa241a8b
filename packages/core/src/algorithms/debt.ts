import { MAX_EXACT, type Rule, type State } from './rule.ts'

/** Converts a debt from one unit to another. `round` decides about a part below 1. */
export function convertDebt(
  debt: number,
  from: number,
  to: number,
  round: (part: number) => number = Math.ceil,
): number {
  const whole = Math.floor(debt / from)
  const converted = whole * to + round(((debt - whole * from) / from) * to)
  return converted < MAX_EXACT ? converted : MAX_EXACT
}

/** The debt of a bucket without a line, some microseconds after its last change, in the terms of `rule`. */
export function debtAfter(elapsed: number, state: State, { unit, rate }: Rule): number {
  let debt = state[2]!
  // A product above 2^53 is inexact, but still above any debt, so both comparisons are right.
  if (elapsed * state[4]! >= debt) return 0
  if (state[3] !== unit) debt = convertDebt(debt, state[3]!, unit)
  const paid = elapsed * rate
  return paid >= debt ? 0 : debt - paid
}
