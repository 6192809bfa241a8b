import type { Place } from './crew.ts'
import { dollars } from './money.ts'

/** What a picture shows. */
export interface Scene {
  readonly limit: number
  readonly used: number
  readonly held: number
  readonly agents: number
  readonly places: readonly Place[]
  /** The columns of the bar. */
  readonly columns: number
}

/** Draws the budget as a bar (used, held, left) and a row for each process: an agent that streams is a full dot. */
export function picture({ limit, used, held, agents, places, columns }: Scene): string[] {
  const full = Math.min(columns, Math.round((used / limit) * columns))
  const both = Math.min(columns, Math.max(full, Math.round(((used + held) / limit) * columns)))
  const bar = '█'.repeat(full) + '▒'.repeat(both - full) + '·'.repeat(columns - both)
  const left = Math.max(0, limit - used - held)
  return [
    `budget     ${bar}`,
    `           █ used ${dollars(used)}  ▒ held ${dollars(held)}  · left ${dollars(left)}`,
    ...places.map(({ streams, answers, kills }, at) => {
      const dots = '●'.repeat(Math.min(agents, streams)) + '○'.repeat(Math.max(0, agents - streams))
      return `process ${at + 1}  ${dots}  ${answers} answers${kills === 0 ? '' : `, killed ${kills === 1 ? 'once' : `${kills} times`}`}`
    }),
  ]
}
