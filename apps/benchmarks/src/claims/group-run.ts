// How many requests two routes admit that share a limit of 2: a group of @fastify/rate-limit, and a policy of one name in Halt.
import fastifyRateLimit from '@fastify/rate-limit'
import { halt } from '@halt/fastify'
import Fastify, { type FastifyInstance } from 'fastify'

/** The admitted requests. */
export interface GroupRun {
  readonly peer: number
  readonly halt: number
}

async function admitted(app: FastifyInstance, config: object): Promise<number> {
  app.get('/a', { config }, async () => 'a')
  app.get('/b', { config }, async () => 'b')
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.listeningOrigin
  let count = 0
  for (const path of ['/a', '/a', '/a', '/b', '/b', '/b'])
    if ((await fetch(`${address}${path}`)).status === 200) count++
  await app.close()
  return count
}

const peer = Fastify()
await peer.register(fastifyRateLimit, { global: false })
const group = { rateLimit: { max: 2, timeWindow: 60_000, groupId: 'otp' } }

const ours = Fastify()
await ours.register(halt, { exemptPrivateIps: false, policy: { name: 'all', limit: 100, window: 60 } })
const named = { halt: { policy: { name: 'otp', limit: 2, window: 60 } } }

console.log(JSON.stringify({ peer: await admitted(peer, group), halt: await admitted(ours, named) }))
