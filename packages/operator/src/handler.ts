import type { FastifyPlugin } from './mount/fastify.ts'
import type { NodeHandler } from './mount/node.ts'

/** The operator's page as a Fetch handler, and as it is mounted elsewhere. */
export interface OperatorHandler<C> {
  /** Answers a request of the page. Mount it on a path with everything below: `/halt` and `/halt/*`. */
  (request: Request, context?: C): Promise<Response>
  /** Middleware for Express, Nest, Connect and `node:http`: `app.use('/halt', page.node)`. */
  readonly node: NodeHandler
  /** A plugin for Fastify: `app.register(page.fastify, { prefix: '/halt' })`. */
  readonly fastify: FastifyPlugin
  /** Ends the beat by which this process learns whether somebody watches. */
  close(): void
}
