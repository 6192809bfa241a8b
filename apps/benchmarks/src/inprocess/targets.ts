import { foundOf, toCheapestPeer } from '../found.ts'
import { headerTargets } from '../http-targets.ts'
import type { Target } from '../report.ts'
import type { Counts } from './counts.ts'
import type { CpuFound } from './cpu.ts'

// The most that Halt may add, as a multiple of what the cheapest peer adds: with a handler that answers at once, and with one
// that awaits.
const BOUNDS: readonly (readonly [framework: string, atOnce: number, awaits: number])[] = [
  ['express', 1, 0.9],
  ['fastify', 0.7, 0.7],
  ['hono', 0.45, 0.45],
  ['nest', 0.7, 0.7],
]

/** The same, where every request is refused. Express spends more on the answer of the bare app than on a refusal. */
const BOUNDS_DENIED: readonly (readonly [framework: string, bound: number])[] = [
  ['fastify', 0.5],
  ['hono', 1.05],
]

/** The targets of HTTP in one process. */
export function inprocessTargets({ added, share }: CpuFound, counts: Counts): Target[] {
  const costs = BOUNDS.flatMap(([framework, atOnce, awaits]) =>
    (
      [
        ['at once', atOnce, 'handler answers at once'],
        ['awaits', awaits, 'handler awaits'],
      ] as const
    ).map(([scene, bound, said]): Target => ({
      what: `${framework}, ${said}: added, to the cheapest peer`,
      rule: 'most',
      bound,
      measured: toCheapestPeer(added, framework, scene),
      unit: '×',
    })),
  )
  const denied = BOUNDS_DENIED.map(([framework, bound]): Target => ({
    what: `${framework}, denied: added, to the cheapest peer`,
    rule: 'most',
    bound,
    measured: toCheapestPeer(added, framework, 'denied'),
    unit: '×',
  }))
  return [
    {
      what: 'express: inline-cache misses added',
      rule: 'most',
      bound: 1,
      measured: foundOf(counts.missesAdded, 'express', 'halt', 'at once'),
      unit: 'misses',
    },
    ...costs,
    ...denied,
    ...headerTargets(share),
    {
      what: 'limiter.check(request): allocated',
      rule: 'most',
      bound: 500,
      measured: counts.bytesOfCheck,
      unit: 'bytes',
    },
  ]
}
