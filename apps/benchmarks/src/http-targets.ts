import { type Added, LIMITERS } from './http.ts'
import type { Target } from './report.ts'

// To the cheapest peer of the framework: in memory, through Redis.
const BOUNDS: readonly (readonly [framework: string, memory: number, redis: number])[] = [
  ['express', 0.5, 0.7],
  ['fastify', 0.7, 0.75],
  ['hono', 0.45, 0.75],
  ['nest', 1, 0.7],
]

/** What was promised of each adapter. */
export function httpTargets(added: Added): Target[] {
  return BOUNDS.flatMap(([framework, memory, redis]) =>
    (
      [
        ['memory', memory],
        ['redis', redis],
      ] as const
    ).map(([place, bound]): Target => {
      const of = (name: string): number => added.get(`${framework} ${name} ${place}`) ?? Number.NaN
      const peers = (LIMITERS[framework] ?? []).slice(1)
      const measured = of('halt') / Math.min(...peers.map(of))
      return {
        what: `${framework}, ${place}: added, to the cheapest peer`,
        rule: 'most',
        bound,
        measured,
        unit: '×',
      }
    }),
  )
}
