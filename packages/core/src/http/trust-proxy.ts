import type { Limiter } from '../limiter/limiter.ts'
import { isToldOfProxies } from '../request/trusted-proxies.ts'

/**
 * Makes a function that warns when a framework trusts proxies but the limiter trusts none. It examines only the first request.
 *
 * @param setting the framework's setting in words, as in `Express has "trust proxy" set`
 * @param isSet whether that setting is on, according to a request
 */
export function trustProxyNotice<R, Q = R>(
  { options, warn }: Pick<Limiter<R>, 'options' | 'warn'>,
  setting: string,
  isSet: (request: Q) => boolean,
): (request: Q) => void {
  let hasChecked = options.clientIp !== undefined || isToldOfProxies(options.trustedProxies)
  return request => {
    if (hasChecked) return
    hasChecked = true
    if (!isSet(request)) return
    warn({
      code: 'HALT_W_TRUST_PROXY_IGNORED',
      message: `${setting}, but Halt uses its own trustedProxies to find the client, and that is empty.`,
      fix: 'Give Halt the addresses of your proxies, and no others: trustedProxies: ["…"].',
    })
  }
}
