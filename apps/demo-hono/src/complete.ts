import type { RateLimiter } from '@halt/core'
import type { HeaderWriter } from '@halt/core/http'
import { Completion, estimate, promptOf, STREAM_HEADERS } from '@halt/demo-kit'
import { sendLimited, viewOf } from '@halt/hono'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Handler } from 'hono'

import type { DemoEnv } from './demo-auth.ts'

/**
 * Streams a model's answer: reserves an estimate before, settles what was used after. The stream ends the completion
 * also when the client leaves.
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

/** The bytes of some texts, each made when it is asked for. */
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
