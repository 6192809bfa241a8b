import { MAX_EXACT } from './rule.ts'

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
