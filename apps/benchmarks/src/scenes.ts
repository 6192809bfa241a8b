import { ROOMY, type Scene } from './contestants/apps/app.ts'
import type { App } from './contestants/apps/index.ts'

/** The limiters of each framework, Halt first. */
export const LIMITERS: Readonly<Record<string, readonly string[]>> = {
  express: ['halt', 'express-rate-limit', 'rate-limiter-flexible'],
  fastify: ['halt', '@fastify/rate-limit'],
  hono: ['halt', 'hono-rate-limiter'],
  nest: ['halt', '@nestjs/throttler'],
}

/**
 * The scenes in which each app is measured, with its counters in memory: the handler answers at once; it awaits first; it
 * answers at once, and the app counts 10 000 clients at random by a header of theirs; or the app refuses.
 */
export const SCENES = {
  'at once': { place: undefined, handler: 'at once', countedBy: 'address', limit: ROOMY },
  awaits: { place: undefined, handler: 'awaits', countedBy: 'address', limit: ROOMY },
  header: { place: undefined, handler: 'at once', countedBy: 'header', limit: ROOMY },
  denied: { place: undefined, handler: 'at once', countedBy: 'address', limit: 1 },
} satisfies Record<string, Scene>

export type SceneName = keyof typeof SCENES
/** The scenes in which nobody is refused. */
export const sceneNames: readonly SceneName[] = ['at once', 'awaits', 'header']

/** The number of clients that requests name by a header, where an app counts by it. */
export const CLIENTS = 10_000

/** The number of clients that the requests for an app name; undefined if they name none. */
export function clientsIn({ countedBy }: Scene): number | undefined {
  return countedBy === 'header' ? CLIENTS : undefined
}

/** The apps without a limiter that show the cost of the framework: three headers; a `next` that is called in a microtask. */
const YARDSTICKS: Readonly<Record<string, readonly string[]>> = {
  express: ['three headers', 'late next'],
  fastify: ['three headers'],
  hono: ['three headers'],
}

/**
 * The apps of a framework to compare with the bare app in a scene. The Nest app has no keys by header, and its peer forgets within
 * 50 ms, so it refuses nobody.
 */
export function contestantsOf(framework: string, scene: SceneName): readonly string[] {
  const limiters = LIMITERS[framework] ?? []
  if (scene === 'header' || scene === 'denied') return framework === 'nest' ? [] : limiters
  return [...(YARDSTICKS[framework] ?? []), ...limiters]
}

/** The app of a limiter in a scene. */
export function appOf(framework: string, limiter: string, scene: SceneName): App {
  return { framework, limiter, ...SCENES[scene] }
}
