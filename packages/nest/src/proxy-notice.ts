import type { RateLimiter } from '@halt/core'

import { type PlatformRequest, trustsProxies } from './calls/http.ts'

/** Makes a function that warns when the platform trusts proxies and Halt is told of none. Looks at the first request only. */
export function proxyNotice({ options, warn }: RateLimiter): (request: object) => void {
  const { trustedProxies, clientIp } = options
  let looked =
    clientIp !== undefined || typeof trustedProxies === 'function' || Boolean(trustedProxies?.length)
  return request => {
    if (looked) return
    looked = true
    if (!trustsProxies(request as PlatformRequest)) return
    warn({
      code: 'HALT_W_TRUST_PROXY_IGNORED',
      message:
        'The platform is told to trust proxies, but Halt finds the client by its own trustedProxies, which is empty.',
      fix: 'Give HaltModule the same proxies: trustedProxies: ["loopback", "10.0.0.0/8"].',
    })
  }
}
