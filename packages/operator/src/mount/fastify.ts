import type { IncomingMessage } from 'node:http'

import { LONGEST_BODY } from '../body.ts'
import { requestOf } from './node.ts'

/** The used part of a Fastify instance, so that Fastify need not be installed. */
interface FastifyScope {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(
    type: string,
    options: { readonly parseAs: 'string'; readonly bodyLimit: number },
    parser: (request: never, body: string, done: (error: Error | null, body?: unknown) => void) => void,
  ): unknown
  route(options: {
    readonly method: string[]
    readonly url: string
    readonly handler: (request: never, reply: never) => unknown
  }): unknown
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage
  readonly body: unknown
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
    // As text, because the page reads and checks its bodies itself.
    const options = { parseAs: 'string', bodyLimit: 2 * LONGEST_BODY } as const
    scope.addContentTypeParser('*', options, (_request, body, parsed) => parsed(null, body))
    const handler = (request: FastifyRequestLike): Promise<Response> =>
      handle(requestOf(request.raw, request.body ?? ''), request as never)
    for (const url of ['/', '/*']) scope.route({ method: ['GET', 'POST'], url, handler: handler as never })
    done()
  }
}
