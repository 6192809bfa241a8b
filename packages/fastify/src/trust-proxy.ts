import type { RateLimiter } from '@halt/core'
import type { FastifyRequest } from 'fastify'

/** Warns when Fastify was told of proxies and the limiter was not. */
export function noticeTrustProxy(request: FastifyRequest, limiter: RateLimiter<FastifyRequest>): void {
  const { trustedProxies, clientIp } = limiter.options
  const isTold =
    typeof trustedProxies === 'function' || (trustedProxies !== undefined && trustedProxies.length > 0)
  if (clientIp !== undefined || isTold) return
  // Fastify keeps trustProxy out of initialConfig; requests have `ips` exactly when it is set.
  if (!('ips' in request)) return
  limiter.warn({
    code: 'HALT_W_TRUST_PROXY_IGNORED',
    message:
      'Fastify has trustProxy set, but Halt finds the client by its own trustedProxies, which is empty.',
    fix: 'Give the limiter the same proxies: trustedProxies: ["loopback", "10.0.0.0/8"].',
  })
}
