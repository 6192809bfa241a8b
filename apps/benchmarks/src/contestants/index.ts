import type { MemoryContestant } from './contestant.ts'

/** The contestants in memory, each loaded only in the process that measures it. */
const memoryContestants = {
  'halt-bucket': async () => (await import('./halt.ts')).haltBucket,
  'halt-window': async () => (await import('./halt.ts')).haltWindow,
  'halt-sliding': async () => (await import('./halt.ts')).haltSliding,
  'halt-check': async () => (await import('./halt.ts')).haltCheck,
  hono: async () => (await import('./hono.ts')).honoRateLimiter,
  fastify: async () => (await import('./fastify.ts')).fastifyRateLimit,
  express: async () => (await import('./express.ts')).expressRateLimit,
  flexible: async () => (await import('./flexible.ts')).flexible,
  nest: async () => (await import('./nest.ts')).nestThrottler,
} satisfies Record<string, () => Promise<MemoryContestant>>

export type MemoryName = keyof typeof memoryContestants
export const memoryNames = Object.keys(memoryContestants) as MemoryName[]
export const memoryPeers: readonly MemoryName[] = ['hono', 'fastify', 'express', 'flexible', 'nest']

/** Loads a contestant by name. */
export async function loadMemory(name: string): Promise<MemoryContestant> {
  const load = (memoryContestants as Record<string, () => Promise<MemoryContestant>>)[name]
  if (load === undefined) throw new Error(`No contestant is named "${name}".`)
  return load()
}
