import { bestOfPeers, type Found, foundOf, toCheapestPeer } from './found.ts'
import type { Target } from './report.ts'

// The most that Halt may add, as a multiple of what the cheapest peer adds.
const BOUNDS: readonly (readonly [
  framework: string,
  scene: 'at once' | 'awaits' | 'redis',
  bound: number,
])[] = [
  ['express', 'at once', 1],
  ['express', 'awaits', 0.9],
  ['express', 'redis', 1],
  ['fastify', 'at once', 0.7],
  ['fastify', 'redis', 0.75],
  ['hono', 'at once', 0.45],
  ['hono', 'redis', 0.65],
  ['nest', 'at once', 0.7],
  ['nest', 'redis', 0.8],
]

const SAID = { 'at once': 'memory', awaits: 'memory, handler awaits', redis: 'redis' } as const

/**
 * The targets of HTTP over sockets.
 *
 * @param added the CPU microseconds that each app adds to the bare app
 * @param share the throughput of each app, as a share of the bare app's
 */
export function httpTargets(added: Found, share: Found): Target[] {
  const costs = BOUNDS.map(([framework, scene, bound]): Target => ({
    what: `${framework}, ${SAID[scene]}: added, to the cheapest peer`,
    rule: 'most',
    bound,
    measured: toCheapestPeer(added, framework, scene),
    unit: '×',
  }))
  return [...costs, ...headerTargets(share)]
}

/** The targets of throughput where clients are counted by header: Halt ahead of each peer. */
export function headerTargets(share: Found): Target[] {
  return ['express', 'fastify', 'hono'].map(framework => ({
    what: `${framework}, by header: throughput, to the fastest peer`,
    rule: 'least',
    bound: 1,
    measured: foundOf(share, framework, 'halt', 'header') / bestOfPeers(share, framework, 'header'),
    unit: '×',
  }))
}
