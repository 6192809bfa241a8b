import type { MemoryContestant } from './contestant.ts'

/** The contestants in memory, each loaded only in the process that measures it. */
const memoryContestants = {
  'halt-bucket': async () => (await import('./halt.ts')).haltBucket,
  'halt-window': async () => (await import('./halt.ts')).haltWindow,
  'halt-sliding': async () => (await import('./halt.ts')).haltSliding,
  hono: async () => (await import('./hono.ts')).honoRateLimiter,
  fastify: async () => (await import('./fastify.ts')).fastifyRateLimit,
  express: async () => (await import('./express.ts')).expressRateLimit,
  flexible: async () => (await import('./flexible.ts')).flexible,
  nest: async () => (await import('./nest.ts')).nestThrottler,
} satisfies Record<string, () => Promise<MemoryContestant>>

/** The methods of a limiter, and those of rate-limiter-flexible. */
const limiterContestants = {
  check: async () => (await import('./limiter-halt.ts')).checkAddress,
  'check-user': async () => (await import('./limiter-halt.ts')).checkUser,
  'check-api-key': async () => (await import('./limiter-halt.ts')).checkApiKey,
  'check-extractor': async () => (await import('./limiter-halt.ts')).checkExtractor,
  'check-route': async () => (await import('./limiter-halt.ts')).checkRoute,
  'check-three': async () => (await import('./limiter-halt.ts')).checkThree,
  consume: async () => (await import('./limiter-halt.ts')).consumeKey,
  'consume-three': async () => (await import('./limiter-halt.ts')).consumeThree,
  'consume-quota': async () => (await import('./limiter-halt.ts')).consumeQuota,
  flexible: async () => (await import('./flexible.ts')).flexible,
  peek: async () => (await import('./limiter-halt.ts')).peekKey,
  'flexible-address': async () => (await import('./flexible.ts')).flexibleAddress,
  'flexible-get': async () => (await import('./flexible.ts')).flexibleGet,
  'flexible-union': async () => (await import('./flexible.ts')).flexibleUnion,
} satisfies Record<string, () => Promise<MemoryContestant>>

export type MemoryName = keyof typeof memoryContestants
export type LimiterName = keyof typeof limiterContestants
export const memoryNames = Object.keys(memoryContestants) as MemoryName[]
export const memoryPeers: readonly MemoryName[] = ['hono', 'fastify', 'express', 'flexible', 'nest']

/** Loads a contestant by name. */
export async function loadMemory(name: string): Promise<MemoryContestant> {
  const all: Record<string, () => Promise<MemoryContestant>> = { ...memoryContestants, ...limiterContestants }
  const load = all[name]
  if (load === undefined) throw new Error(`No contestant is named "${name}".`)
  return load()
}
