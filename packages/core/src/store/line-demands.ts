import { algorithmOf, type Rule, type State } from '../algorithms/index.ts'
import { type Demand, Mode } from './contract.ts'

/** Whether a demand is about the line of a bucket, and not about its units alone. */
export function isAboutLine({ mode, terms }: Demand): boolean {
  return mode >= Mode.LOOK || terms?.place !== undefined
}

/** Makes the change that a demand about a line asks for. Returns undefined if the demand is to be charged as any other. */
export function changeLine(
  { mode, cost, terms }: Demand,
  rule: Rule,
  state: State,
  now: number,
): boolean | undefined {
  const { line } = algorithmOf(rule)
  if (line === undefined) return undefined
  const before = state.length
  if (mode === Mode.LOOK) line.look(state, now, rule)
  else if (mode === Mode.RESET) line.reset(state, now, rule)
  else if (terms?.place === undefined) return undefined
  // It was charged with its place.
  else if (mode !== Mode.SETTLE || cost === 0) return false
  else if (cost > 0) line.join(state, now, cost, rule)
  else line.leave(state, now, -cost, terms.place, rule)
  return before > 0 || cost > 0
}
