import type { RateLimiter } from '@halt/core'
import type { HeaderWriter } from '@halt/core/http'
import { Completion, estimate, promptOf, STREAM_HEADERS } from '@halt/demo-kit'
import { sendLimited, viewOf } from '@halt/hono'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Handler } from 'hono'

import type { DemoEnv } from './demo-auth.ts'

/**
 * Streams a model's answer: reserves an estimate first, and settles the tokens used at the end. The stream also ends the
 * completion when the client leaves.
 */
export function complete(model: RateLimiter<Context<DemoEnv>>, headers: HeaderWriter): Handler<DemoEnv> {
  return async c => {
    const prompt = promptOf(await c.req.json<unknown>().catch(() => undefined))
    const reservation = await model.reserve(viewOf(c, getConnInfo), { cost: estimate(prompt) })
    for (const [name, value] of Object.entries(headers(reservation.decision))) c.header(name, value)
    if (!reservation.decision.allowed) return sendLimited(c, reservation.decision)
    return c.body(bytesOf(new Completion(prompt, reservation)), 200, STREAM_HEADERS)
  }
}

/** The bytes of some strings, each encoded when it is read. */
function bytesOf(texts: AsyncIterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await texts.next()
        if (done === true) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        await texts.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
