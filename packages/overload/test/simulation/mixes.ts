import type { Random } from './random.ts'
import type { Kind } from './scenes.ts'
import type { Work } from './simulated-server.ts'

// The processor time of parsing a request, and what is left of the machine for others.
const PARSING = 0.05
const USABLE = 0.98

/** A random application: two to eight routes that use the processor, share a pool, or wait for something with room. */
export function randomMix(random: Random): Kind {
  const pool = 2 + Math.floor(random.next() * 12)
  const routes = Array.from({ length: 2 + Math.floor(random.next() * 7) }, (_, i) => {
    const [kind, weight] = [random.next(), 0.1 + random.next() ** 2]
    const [cpu, wait] = [0.1 + random.next() * 1.5, 5 + random.next() * 60]
    const route = `/${i}`
    const work: Work =
      kind < 0.35
        ? { cpu: cpu * 2, route }
        : kind < 0.7
          ? { cpu: 0.1, wait, pooled: true, route }
          : { cpu, wait, route }
    return { weight, work }
  })
  const total = routes.reduce((sum, { weight }) => sum + weight, 0)
  const mean = (of: (work: Work) => number): number =>
    routes.reduce((sum, { weight, work }) => sum + (weight / total) * of(work), 0)
  const processor = 1000 / mean(({ cpu }) => cpu + PARSING)
  const pooled = mean(({ pooled: isPooled, wait = 0 }) => (isPooled === true ? wait : 0))
  return {
    name: `${routes.length} routes`,
    pool,
    capacity: USABLE * Math.min(processor, pooled === 0 ? Number.POSITIVE_INFINITY : (1000 * pool) / pooled),
    work(own) {
      let left = own.next() * total
      return (routes.find(({ weight }) => (left -= weight) <= 0) ?? routes[0]!).work
    },
  }
}
