import { startTemporaryRedis, type TemporaryRedis } from '../../../tools/redis-server.mjs'

/** Starts a Redis and waits until it answers. */
export async function startServer(): Promise<TemporaryRedis> {
  const server = await startTemporaryRedis('redis-server')
  if (server === undefined) throw new Error('The benchmarks need redis-server: run `npm run setup`.')
  return server
}
