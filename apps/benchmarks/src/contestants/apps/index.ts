import type { Server } from 'node:http'

import type { MakeServer, Scene } from './app.ts'

/** An app to measure: a framework, one of its limiters, and the settings of both. */
export interface App extends Scene {
  readonly framework: string
  readonly limiter: string
}

/** The frameworks, each loaded only in the process that measures it. */
const frameworks: Readonly<Record<string, () => Promise<{ make(limiter: string): MakeServer }>>> = {
  express: () => import('./express.ts'),
  fastify: () => import('./fastify.ts'),
  hono: () => import('./hono.ts'),
  nest: () => import('./nest.ts'),
}

/** Makes the server of an app. */
export async function makeServer({ framework, limiter, ...scene }: App): Promise<Server> {
  const load = frameworks[framework]
  if (load === undefined) throw new Error(`No framework is named "${framework}".`)
  const { make } = await load()
  return make(limiter)(scene)
}
