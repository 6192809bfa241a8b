import type { Target } from './report.ts'

/** The limiters of each framework, Halt first. */
export const LIMITERS: Readonly<Record<string, readonly string[]>> = {
  express: ['halt', 'express-rate-limit', 'rate-limiter-flexible'],
  fastify: ['halt', '@fastify/rate-limit'],
  hono: ['halt', 'hono-rate-limiter'],
  nest: ['halt', '@nestjs/throttler'],
}

/** The CPU microseconds per request that an app adds to the bare app, by `framework app place`. */
export type Added = ReadonlyMap<string, number>

// Ratios to the cheapest peer of the framework: in memory, through Redis.
const BOUNDS: readonly (readonly [framework: string, memory: number, redis: number])[] = [
  ['express', 0.5, 0.7],
  ['fastify', 0.7, 0.75],
  ['hono', 0.45, 0.75],
  ['nest', 1, 0.7],
]

/** The targets of each adapter. */
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
