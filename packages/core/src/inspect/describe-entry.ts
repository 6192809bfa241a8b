import type { ControlEntry } from '../policy/control-entry.ts'

/** An entry in words: what it does, until when, who made it and why. The texts of operators are quoted. */
export function describeEntry({ kind, target, numbers, until, by, reason }: ControlEntry): string {
  const whom = target === undefined ? 'for everybody' : `for ${JSON.stringify(target)}`
  const set = Object.entries(numbers ?? {}).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  return [
    `${kind} ${whom}${set.length === 0 ? '' : `: ${set.join(', ')}`}`,
    until === undefined ? 'until somebody takes it back' : `until ${timeOf(until)}`,
    ...(by === undefined ? [] : [`by ${JSON.stringify(by)}`]),
    ...(reason === undefined ? [] : [`because ${JSON.stringify(reason)}`]),
  ].join(', ')
}

// An entry that was written by hand may end at an instant that no date can show.
function timeOf(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'an instant far away' : date.toISOString()
}
