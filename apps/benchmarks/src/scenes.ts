import type { Scene } from './contestants/apps/app.ts'
import type { App } from './contestants/apps/index.ts'

/** The limiters of each framework, Halt first. */
export const LIMITERS: Readonly<Record<string, readonly string[]>> = {
  express: ['halt', 'express-rate-limit', 'rate-limiter-flexible'],
  fastify: ['halt', '@fastify/rate-limit'],
  hono: ['halt', 'hono-rate-limiter'],
  nest: ['halt', '@nestjs/throttler'],
}

/**
 * The scenes in which each app is measured, with its counters in memory: the handler answers at once; it awaits first; or it
 * answers at once, and the app counts 10 000 clients at random by a header of theirs.
 */
export const SCENES = {
  'at once': { place: undefined, handler: 'at once', countedBy: 'address' },
  awaits: { place: undefined, handler: 'awaits', countedBy: 'address' },
  header: { place: undefined, handler: 'at once', countedBy: 'header' },
} satisfies Record<string, Scene>

export type SceneName = keyof typeof SCENES
export const sceneNames = Object.keys(SCENES) as SceneName[]

/** The number of clients that requests name by a header. */
export const CLIENTS = 10_000

/** The apps of a framework to compare with the bare app in a scene: each limiter, and three headers without one. */
export function contestantsOf(framework: string, scene: SceneName): readonly string[] {
  const limiters = LIMITERS[framework] ?? []
  if (framework === 'nest') return scene === 'header' ? [] : limiters
  return scene === 'at once' ? ['three headers', ...limiters] : limiters
}

/** The app of a limiter in a scene. */
export function appOf(framework: string, limiter: string, scene: SceneName): App {
  return { framework, limiter, ...SCENES[scene] }
}

/** The number that a measurement found for an app, by `framework limiter scene`. */
export type Found = ReadonlyMap<string, number>

/** The number for an app; NaN if it was not measured. */
export function foundOf(found: Found, framework: string, limiter: string, scene: string): number {
  return found.get(`${framework} ${limiter} ${scene}`) ?? Number.NaN
}

/** The least number that the peers of Halt have in a scene. */
export function leastOfPeers(found: Found, framework: string, scene: string): number {
  const [, ...peers] = LIMITERS[framework] ?? []
  return Math.min(...peers.map(peer => foundOf(found, framework, peer, scene)))
}
