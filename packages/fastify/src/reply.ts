import { applyHeaders, type HeaderTarget, type Outcome } from '@halt/core/http'
import type { FastifyReply } from 'fastify'

// Fastify lower-cases every name. A string made at run time is a slow property key, a literal is not.
const LOWER: ReadonlyMap<string, string> = new Map([
  ['RateLimit-Limit', 'ratelimit-limit'],
  ['RateLimit-Remaining', 'ratelimit-remaining'],
  ['RateLimit-Reset', 'ratelimit-reset'],
  ['RateLimit-Policy', 'ratelimit-policy'],
  ['RateLimit', 'ratelimit'],
  ['Retry-After', 'retry-after'],
  ['Access-Control-Allow-Origin', 'access-control-allow-origin'],
])

/** The headers of a reply, as Halt reads and sets them. */
class ReplyHeaders implements HeaderTarget {
  readonly #reply: FastifyReply

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  get(name: string): string | undefined {
    return this.#reply.getHeader(LOWER.get(name) ?? name)?.toString()
  }

  set(name: string, value: string): void {
    void this.#reply.header(LOWER.get(name) ?? name, value)
  }

  remove(name: string): void {
    void this.#reply.removeHeader(name)
  }
}

/** True if it is too late to answer. */
function isSent(reply: FastifyReply): boolean {
  return reply.sent || reply.raw.headersSent
}

/**
 * Watches a reply, and gives a function that says whether it has an answer. An answer counts from the call of `send`,
 * because a hook or a stream may delay its first byte for longer than a callback may take.
 */
export function watchAnswer(reply: FastifyReply): () => boolean {
  const send = reply.send.bind(reply)
  let isGiven = false
  reply.send = payload => {
    const given = send(payload)
    // After the call, because a call that threw has not answered.
    isGiven = true
    return given
  }
  return () => isGiven || isSent(reply) || reply.raw.closed
}

/** Sets the headers of an outcome, unless the response has begun. */
export function setHeaders(reply: FastifyReply, { headers, stale }: Outcome): void {
  if (!reply.raw.headersSent) applyHeaders(headers, new ReplyHeaders(reply), stale)
}

/** Sends a refusal. */
export function sendRefusal(reply: FastifyReply, { status, body }: Outcome): void {
  if (isSent(reply) || body === undefined) return
  // The text is JSON already, so skip a serializer that a hook has set.
  void reply.code(status).type(body.type).serializer(asIs).send(body.text)
}

const asIs = (text: string): string => text
