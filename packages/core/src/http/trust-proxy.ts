import type { RateLimiter } from '../limiter/rate-limiter.ts'
import { isToldOfProxies } from '../request/trusted-proxies.ts'

/**
 * Makes a function that warns when a framework trusts proxies and the limiter is told of none. It looks at the first request
 * only.
 *
 * @param setting where the framework is told, as in `Express has "trust proxy" set`
 * @param isSet whether it is, by a request
 */
export function trustProxyNotice<R, Q = R>(
  { options, warn }: Pick<RateLimiter<R>, 'options' | 'warn'>,
  setting: string,
  isSet: (request: Q) => boolean,
): (request: Q) => void {
  let looked = options.clientIp !== undefined || isToldOfProxies(options)
  return request => {
    if (looked) return
    looked = true
    if (!isSet(request)) return
    warn({
      code: 'HALT_W_TRUST_PROXY_IGNORED',
      message: `${setting}, but Halt finds the client by its own trustedProxies, which is empty.`,
      fix: 'Name to Halt, too, the addresses of your proxies, and no others: trustedProxies: ["…"].',
    })
  }
}
