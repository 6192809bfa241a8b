import type { IncomingMessage } from 'node:http'

import { requestOf } from './node.ts'
import { discardRest } from './node-body.ts'

/** The used part of a Fastify instance, so that Fastify need not be installed. */
interface FastifyScope {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(
    type: string,
    parser: (request: never, payload: never, done: (error: Error | null) => void) => void,
  ): unknown
  route(options: {
    readonly method: string[]
    readonly url: string
    readonly handler: (request: never, reply: never) => unknown
  }): unknown
}

interface FastifyReplyLike {
  code(status: number): unknown
  header(name: string, value: string | readonly string[]): unknown
  send(body: Buffer): unknown
}

/** A plugin of Fastify. */
export type FastifyPlugin = (scope: unknown, options: unknown, done: () => void) => void

/** Makes a plugin of Fastify of a Fetch handler. Its parser of bodies holds for the page alone. */
export function mountOnFastify(
  handle: (request: Request, context: never) => Promise<Response>,
): FastifyPlugin {
  return (instance, _options, done) => {
    const scope = instance as FastifyScope
    scope.removeAllContentTypeParsers()
    // The page reads and checks its bodies itself, after it knows who asks.
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    const handler = async (
      request: { readonly raw: IncomingMessage },
      reply: FastifyReplyLike,
    ): Promise<void> => {
      const response = await handle(requestOf(request.raw), request as never)
      reply.code(response.status)
      for (const [name, value] of response.headers) if (name !== 'set-cookie') reply.header(name, value)
      const cookies = response.headers.getSetCookie()
      if (cookies.length > 0) reply.header('set-cookie', cookies)
      // Fastify removes the body for HEAD, which it cannot do for a response of Fetch.
      reply.send(Buffer.from(await response.arrayBuffer()))
      discardRest(request.raw)
    }
    for (const url of ['/', '/*'])
      scope.route({ method: ['GET', 'HEAD', 'POST'], url, handler: handler as never })
    done()
  }
}
