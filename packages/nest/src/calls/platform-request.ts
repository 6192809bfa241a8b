import { hasDecisionProperty, type HeaderBag } from '@halt/core/http'

interface Socket {
  readonly remoteAddress?: string
}

/** The properties of an Express or a Fastify request that Halt reads. */
export interface PlatformRequest {
  readonly method: string
  readonly url: string
  readonly originalUrl?: string
  readonly headers: HeaderBag
  readonly httpVersion?: string
  readonly socket?: Socket | null
  /** Express. */
  readonly baseUrl?: string
  readonly route?: { readonly path?: unknown; readonly stack?: unknown }
  readonly app?: { enabled?(setting: string): boolean }
  readonly res?: { readonly socket?: Socket | null }
  /** Fastify. */
  readonly raw?: { readonly httpVersion?: string }
  readonly routeOptions?: { readonly url?: string; readonly method?: string | readonly string[] }
  readonly ips?: unknown
}

/** The request of Node behind the request of the platform. */
export function rawRequestOf(request: PlatformRequest): object {
  // perf: bench "nest: halt"; a request of Express has no \`raw\`, and to look for it takes longer than several checks.
  return hasDecisionProperty(request) ? request : (request.raw ?? request)
}

/** The HTTP version of a request. */
export function httpVersionOf({ httpVersion, raw }: PlatformRequest): string | undefined {
  return httpVersion ?? raw?.httpVersion
}

/** True if the platform itself is configured to trust proxies. */
export function trustsProxies({ app, ips }: PlatformRequest): boolean {
  // Fastify defines `ips` only if trustProxy is set. Express always defines it, so ask for its setting instead.
  return app?.enabled === undefined ? ips !== undefined : app.enabled('trust proxy')
}
