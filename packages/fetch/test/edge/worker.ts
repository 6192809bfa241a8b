import { decisionOf, halt } from '../../src/index.ts'

// A Worker builds everything while its module loads, before any request.
const limit = halt({ policy: { name: 'ip', limit: 2, window: 60, blockDuration: 1 }, clientIp: 'cloudflare' })
const busy = halt({
  policy: { name: 'busy', algorithm: 'concurrency', limit: 1, ttl: 60 },
  clientIp: 'cloudflare',
})

const answer = (request: Request, env: { readonly name: string }): Response =>
  Response.json({ key: decisionOf(request)?.key, env: env.name })
const limited = limit(answer)
const inFlight = busy(answer)

export const fetch = (request: Request): Promise<Response> => {
  const handler = new URL(request.url).pathname === '/busy' ? inFlight : limited
  return handler(request, { name: 'production' })
}
