// Users of a healthy process: nothing is full, and nobody should be refused.
import type { Random } from './random.ts'
import type { Scene, Work } from './simulated-server.ts'

/** What is unusual about some of the requests, though the process has room for all. */
export interface Oddity {
  readonly name: string
  /** The share of all requests that are odd. */
  readonly share: number
  /** How long they take in milliseconds. Undefined: they hang. */
  readonly ms: number | undefined
}

const hangs = (percent: number): Oddity => ({
  name: `${percent} percent hang`,
  share: percent / 100,
  ms: undefined,
})

export const ODDITIES: readonly Oddity[] = [
  ...[0.5, 1, 2, 5, 20].map(hangs),
  { name: '5 percent take 3 s', share: 0.05, ms: 3000 },
  { name: '10 percent take 2 s', share: 0.1, ms: 2000 },
  { name: '2 percent take 8 s', share: 0.02, ms: 8000 },
]

/** Where the odd requests come. */
export const PLACES = [
  'a route of their own',
  'a route of quick ones too',
  'the only route',
  'one of many routes',
] as const

/** Users of 1 ms of the processor and a wait of 10 ms, some of whose requests are odd. */
export function ordinary(
  { share, ms }: Oddity,
  place: (typeof PLACES)[number],
  seed: number,
  { from = 0, to = 20_000, perSecond = 200 } = {},
): Scene {
  const quick = { cpu: 1, wait: 10 }
  const odd: Work = ms === undefined ? { ...quick, hangs: true } : { ...quick, wait: ms }
  const work = (random: Random, now: number): Work => {
    const isOdd = random.next() < share
    const what = isOdd && now >= from ? odd : quick
    if (place === 'the only route') return { ...what, route: '/' }
    if (place === 'a route of their own')
      return isOdd ? { ...what, route: '/odd' } : { ...what, route: '/quick' }
    if (place === 'a route of quick ones too')
      return { ...what, route: isOdd || random.next() < share ? '/odd' : '/quick' }
    return { ...what, route: isOdd ? '/late' : `/${Math.floor(random.next() * 140)}` }
  }
  return { seed, stretches: [{ from: 0, to, perSecond, work }] }
}

/** A day of a random healthy application: routes of different length, some of which turn slow or hang, and bursts. */
export function ordinaryDay(random: Random, seconds: number): Scene {
  const routes = Array.from({ length: 2 + Math.floor(random.next() * 8) }, (_, i) => ({
    route: `/${i}`,
    weight: 0.1 + random.next() ** 2,
    wait: [5, 20, 100, 800, 4000][Math.floor(random.next() * 5)]!,
    spread: random.next() < 0.5 ? 0 : random.next() * 0.4,
    hangs: random.next() < 0.3 ? random.next() * 0.02 : 0,
  }))
  const total = routes.reduce((sum, { weight }) => sum + weight, 0)
  const work = (own: Random): Work => {
    let left = own.next() * total
    const chosen = routes.find(({ weight }) => (left -= weight) <= 0) ?? routes[0]!
    const { route, wait, spread } = chosen
    return {
      cpu: 0.5,
      wait: spread === 0 ? wait : own.logNormal(wait, spread),
      route,
      hangs: own.next() < chosen.hangs,
    }
  }
  const burst = 5 + Math.floor(random.next() * 10)
  return {
    seed: Math.floor(random.next() * 1e9),
    stretches: [
      { from: 0, to: seconds * 1000, perSecond: 50 + random.next() * 150, work },
      ...Array.from({ length: Math.floor(seconds / 4) }, (_, i) => ({
        from: 4000 * (i + 1),
        to: 4000 * (i + 1) + 10,
        perSecond: burst * 100,
        work,
      })),
    ],
  }
}
