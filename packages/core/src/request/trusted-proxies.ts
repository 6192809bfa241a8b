import { isStrayPromise } from '../base/promises.ts'
import type { Address } from './address.ts'
import { FORWARDING_HEADERS, findHeader } from './headers.ts'
import { parseNetworks } from './networks.ts'
import type { RequestView } from './view.ts'

/** A name for a set of networks: this machine, a link, the private networks, and Cloudflare's (a dated list). */
export type ProxyName = 'loopback' | 'linklocal' | 'private' | 'cloudflare'

/**
 * The proxies whose forwarding headers are believed: CIDRs, addresses and names, or a function. The function gets an address
 * and its hop; hop 0 is the socket peer.
 */
export type TrustedProxies =
  | readonly (ProxyName | (string & {}))[]
  | ((address: string, hop: number) => boolean)

/** Whether the options name any trusted proxy. */
export function isToldOfProxies(trustedProxies: TrustedProxies | undefined): boolean {
  return typeof trustedProxies === 'function' || Boolean(trustedProxies?.length)
}

/** Compiles the option into a test of one hop. @throws HaltError `HALT_E_TRUSTED_PROXIES` */
export function compileTrust(
  proxies: TrustedProxies | undefined,
): (address: Address, hop: number) => boolean {
  if (proxies === undefined) return () => false
  if (typeof proxies === 'function') {
    return (address, hop) => {
      try {
        // Only `true` counts: an async function returns a promise, which is truthy, and would trust every address.
        const trusted: unknown = proxies(address.text, hop)
        return isStrayPromise(trusted) ? false : trusted === true
      } catch {
        return false
      }
    }
  }
  const networks = parseNetworks(proxies, 'HALT_E_TRUSTED_PROXIES')
  return address => networks.contains(address)
}

/** Finds the sign that a request's peer is a proxy, in words, such as `sends "via"`; undefined if there is none. */
export type ProxySigns = (request: Pick<RequestView, 'headers' | 'httpVersion'>) => string | undefined

// Headers that proxies, load balancers and CDNs add and that do not name the client. Headers that match PREFIXES count too.
const ADDED_BY_PROXIES: readonly string[] = Object.freeze([
  'via',
  'x-forwarded',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-scheme',
  'x-forwarded-ssl',
  'x-forwarded-prefix',
  'x-scheme',
  'x-url-scheme',
  'front-end-https',
  'cdn-loop',
  'cf-ray',
  'cf-visitor',
  'fastly-ff',
  'x-varnish',
  'x-amzn-trace-id',
  'x-amz-cf-id',
  'x-azure-ref',
  'x-arr-log-id',
  'x-envoy-internal',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-attempt-count',
  'x-envoy-original-path',
  'x-envoy-decorator-operation',
  'x-envoy-peer-metadata',
])
const PREFIXES = /^x-(?:forwarded|envoy)-/

/**
 * Makes a finder of proxy signs. It reads the names of a request's headers once, however many signs it knows.
 *
 * @param source the limiter's `clientIpHeader`
 */
export function proxySigns(source: string): ProxySigns {
  const names = new Set([source, ...FORWARDING_HEADERS, ...ADDED_BY_PROXIES])
  const list = [...names]
  const isSign = (name: string): boolean => names.has(name) || PREFIXES.test(name)
  return ({ headers, httpVersion }) => {
    // Today's clients speak HTTP/1.1 or later. nginx's proxy_pass speaks 1.0 by default, and adds no header.
    if (httpVersion === '1.0') return 'speaks HTTP/1.0'
    const header = findHeader(headers, isSign, list)
    return header === undefined ? undefined : `sends "${header}"`
  }
}
