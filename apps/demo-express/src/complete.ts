import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import type { RateLimiter } from '@halt/core'
import type { HeaderWriter } from '@halt/core/http'
import { Completion, estimate, promptOf, STREAM_HEADERS } from '@halt/demo-kit'
import { sendLimited } from '@halt/express'
import type { Request, RequestHandler } from 'express'

/**
 * Streams a model's answer: reserves an estimate first, and settles the tokens used at the end. `pipeline` also ends the
 * completion when the client leaves.
 */
export function complete(model: RateLimiter<Request>, headers: HeaderWriter): RequestHandler {
  return async (req, res) => {
    const prompt = promptOf(req.body)
    const reservation = await model.reserve(req, { cost: estimate(prompt) })
    res.set(headers(reservation.decision))
    if (!reservation.decision.allowed) return sendLimited({ req, res }, reservation.decision)
    res.set(STREAM_HEADERS)
    await pipeline(Readable.from(new Completion(prompt, reservation)), res).catch((error: unknown) => {
      if (!res.destroyed) throw error
    })
  }
}
