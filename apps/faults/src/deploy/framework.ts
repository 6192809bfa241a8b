/** The frameworks that Halt has a server adapter for. */
export type Framework = 'Express' | 'Fastify' | 'Hono' | 'Nest'
