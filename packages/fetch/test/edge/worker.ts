import { decisionOf, halt } from '../../src/index.ts'

// A Worker builds everything while its module loads, before any request.
const limit = halt({ policy: { name: 'ip', limit: 2, window: 60, blockDuration: 1 }, clientIp: 'cloudflare' })
const busy = halt({
  policy: { name: 'busy', algorithm: 'concurrency', limit: 1, ttl: 60 },
  clientIp: 'cloudflare',
})

const limited = limit((request: Request, env: { readonly NAME: string }) =>
  Response.json({ key: decisionOf(request)?.key, env: env.NAME }),
)
// The response lasts as long as the client sends its request.
const echo = busy((request: Request) => new Response(request.body))

const handlers: Readonly<Record<string, typeof limited>> = {
  '/busy': echo,
  '/globals': async () => Response.json([typeof WeakRef, typeof FinalizationRegistry]),
}

export default {
  fetch: (request: Request, env: { readonly NAME: string }): Promise<Response> =>
    (handlers[new URL(request.url).pathname] ?? limited)(request, env),
}
