import { type HeaderPort, type Outcome, tellHeaders } from '@halt/core/http'
import type { FastifyReply } from 'fastify'

const HEADERS: HeaderPort<FastifyReply> = {
  get: (reply, name) => reply.getHeader(name)?.toString(),
  set: (reply, name, value) => void reply.header(name, value),
  remove: (reply, name) => void reply.removeHeader(name),
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
export function setHeaders(reply: FastifyReply, outcome: Outcome): void {
  if (!reply.raw.headersSent) tellHeaders(outcome, reply, HEADERS)
}

/** Sends a refusal. */
export function sendRefusal(reply: FastifyReply, { status, body }: Outcome): void {
  if (isSent(reply) || body === undefined) return
  // The text is JSON already, so skip a serializer that a hook has set.
  void reply.code(status).type(body.type).serializer(asIs).send(body.text)
}

const asIs = (text: string): string => text
