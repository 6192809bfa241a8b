import type { IncomingMessage } from 'node:http'

import { badRequest } from '../answer.ts'

/** How much of a body that nobody asked for is read away: in bytes, and in milliseconds. */
const MOST_DRAINED = 1_048_576
const DRAIN_MS = 10_000

/** A request of Node, with what a body parser before the page may have made of its body. */
export type ParsedRequest = IncomingMessage & { readonly body?: unknown }

/**
 * The body of a request: what a parser before the page made of it, else a stream that takes nothing from the connection before
 * somebody reads it. A connection whose body was taken and not read to its end never serves another request.
 */
export function bodyOf(req: ParsedRequest): RequestInit['body'] {
  const { body } = req
  // Some parsers set an empty object for a body that they did not read.
  if (!req.readableDidRead && isNothing(body)) return streamOf(req)
  if (typeof body === 'string' || body instanceof Uint8Array) return body as RequestInit['body']
  if (body === undefined || body === null)
    return failing(
      'Something before the page read the body of the call, and left nothing of it.',
      'Mount the page before it.',
    )
  // Signs such as & and + in an id would name another client, so the text is not put together again.
  if (Object.keys(body)[0]?.trimStart().startsWith('{') === true)
    return failing(
      'A body parser before the page read the JSON of the call as a form.',
      'Send content-type: application/json, or mount the page before the parser.',
    )
  return JSON.stringify(body)
}

/**
 * Reads the rest of a body away that nobody asked for, so that its connection serves the next request. Closes the connection if there is
 * more than a megabyte of it, or if it takes more than ten seconds.
 */
export function discardRest(req: IncomingMessage): void {
  if (req.readableEnded || req.destroyed) return
  let left = MOST_DRAINED
  const timer = setTimeout(() => req.destroy(), DRAIN_MS).unref()
  const end = (): void => clearTimeout(timer)
  req.on('error', end).on('end', end).on('close', end)
  req.on('data', (part: Uint8Array) => {
    if ((left -= part.length) < 0) req.destroy()
  })
  req.resume()
}

function isNothing(body: unknown): boolean {
  return typeof body !== 'object' ? body === undefined : Object.keys(body ?? {}).length === 0
}

function streamOf(req: IncomingMessage): ReadableStream<Uint8Array> {
  let parts: AsyncIterator<Uint8Array> | undefined
  return new ReadableStream(
    {
      async pull(controller) {
        // A return of the plain iterator would destroy the connection before it has carried the answer.
        parts ??= req.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>
        const { done, value } = await parts.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await parts?.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/** A body that cannot be read, so that only who may read it is told why. */
function failing(message: string, fix: string): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      pull(controller) {
        controller.error(badRequest(message, fix))
      },
    },
    { highWaterMark: 0 },
  )
}
