import type { RateLimiter } from '@halt/core'
import type { Request } from 'express'

/** Makes a function that warns when Express trusts proxies and Halt is told of none. Looks at the first request only. */
export function trustProxyNotice({ options, warn }: RateLimiter<Request>): (req: Request) => void {
  const { trustedProxies, clientIp } = options
  let looked =
    clientIp !== undefined || typeof trustedProxies === 'function' || Boolean(trustedProxies?.length)
  return req => {
    if (looked) return
    looked = true
    // Without an app where the middleware stands in another server: Node's own, Connect's, a test's.
    if (req.app?.enabled?.('trust proxy') !== true) return
    warn({
      code: 'HALT_W_TRUST_PROXY_IGNORED',
      message:
        'Express has "trust proxy" set, but Halt finds the client by its own trustedProxies, which is empty.',
      fix: 'Give the limiter the same proxies: trustedProxies: ["loopback", "10.0.0.0/8"].',
    })
  }
}
