import { FORWARDING_HEADERS } from './forwarding.ts'
import { findHeader } from './headers.ts'
import type { RequestView } from './view.ts'

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
