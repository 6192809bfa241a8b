import { applyHeaders, type HeaderTarget, type Outcome } from '@halt/core/http'
import type { FastifyReply } from 'fastify'

// Fastify lower-cases every name, and a string made at run time is slow as a property: literals are not.
const LOWER: ReadonlyMap<string, string> = new Map([
  ['RateLimit-Limit', 'ratelimit-limit'],
  ['RateLimit-Remaining', 'ratelimit-remaining'],
  ['RateLimit-Reset', 'ratelimit-reset'],
  ['RateLimit-Policy', 'ratelimit-policy'],
  ['RateLimit', 'ratelimit'],
  ['Retry-After', 'retry-after'],
  ['Access-Control-Allow-Origin', 'access-control-allow-origin'],
])

/** The headers of a reply. */
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

/** Whether it is too late to answer. */
function isSent(reply: FastifyReply): boolean {
  return reply.sent || reply.raw.headersSent
}

/**
 * Watches a reply; tells whether it has an answer, be it one that is still on its way: a hook or a stream may let nothing
 * be sent for longer than a callback may take, and Fastify shows nothing of it.
 */
export function watchAnswer(reply: FastifyReply): () => boolean {
  const send = reply.send.bind(reply)
  let isGiven = false
  reply.send = payload => {
    const given = send(payload)
    // Only now: what threw has answered nothing.
    isGiven = true
    return given
  }
  return () => isGiven || isSent(reply) || reply.raw.closed
}

/** Sets a decision's headers, unless they are on their way already. */
export function setHeaders(reply: FastifyReply, { headers, stale }: Outcome): void {
  if (!reply.raw.headersSent) applyHeaders(headers, new ReplyHeaders(reply), stale)
}

/** Sends a refusal. */
export function sendRefusal(reply: FastifyReply, { status, body }: Outcome): void {
  if (isSent(reply) || body === undefined) return
  // The text is JSON already: a serializer that a hook chose is not for it.
  void reply.code(status).type(body.type).serializer(asIs).send(body.text)
}

const asIs = (text: string): string => text
