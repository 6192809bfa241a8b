import { FORWARDING_HEADERS } from './forwarding.ts'
import { findHeader } from './headers.ts'
import type { RequestView } from './view.ts'

/** What shows that the peer of a request forwards for others, in words: `sends "via"`; undefined when nothing does. */
export type ProxySigns = (request: Pick<RequestView, 'headers' | 'httpVersion'>) => string | undefined

// Headers that proxies, balancers and CDNs add without naming the client. Beside them: all that begin as PREFIXES do.
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
 * Makes a finder of proxy signs. It goes through the names of the request's headers once, however many it knows.
 *
 * @param source the limiter's `clientIpHeader`
 */
export function proxySigns(source: string): ProxySigns {
  const names = new Set([source, ...FORWARDING_HEADERS, ...ADDED_BY_PROXIES])
  const list = [...names]
  const isSign = (name: string): boolean => names.has(name) || PREFIXES.test(name)
  return ({ headers, httpVersion }) => {
    // Clients of our century speak 1.1 or later. nginx's proxy_pass speaks 1.0 by default, and adds no header.
    if (httpVersion === '1.0') return 'speaks HTTP/1.0'
    const header = findHeader(headers, isSign, list)
    return header === undefined ? undefined : `sends "${header}"`
  }
}
