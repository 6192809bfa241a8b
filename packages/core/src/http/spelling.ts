import type { Headers, HeaderSink } from './dialects.ts'

// perf: bench "fastify: halt"; dialects write the names in lower case, because a name that is put into lower case at run time
// is a slow property key.
const SPELLINGS: ReadonlyMap<string, string> = new Map(
  [
    'RateLimit',
    'RateLimit-Policy',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
    'X-RateLimit-Limit',
    'X-RateLimit-Remaining',
    'X-RateLimit-Used',
    'X-RateLimit-Reset',
    'Retry-After',
    'Cache-Control',
  ].map(name => [name.toLowerCase(), name]),
)

/** Sets headers in a list, by their names as documents spell them. */
export const SPELT: HeaderSink<Headers> = {
  set(headers, name, value) {
    headers[SPELLINGS.get(name) ?? name] = value
  },
}
