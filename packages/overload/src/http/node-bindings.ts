import type { NodeResponse } from './watch.ts'

/** The bindings of `@hono/node-server`: Node's own request and response. Empty elsewhere. */
export function nodeBindings(env: unknown): {
  readonly incoming?: object
  readonly outgoing?: NodeResponse
} {
  const { incoming, outgoing } = (env ?? {}) as { incoming?: object; outgoing?: NodeResponse }
  return typeof outgoing?.on === 'function' && incoming !== undefined ? { incoming, outgoing } : {}
}
