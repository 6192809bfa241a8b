import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { type AdapterUnderTest, ROUTES, type Served, type Setup, type SuiteOptions } from '@halt/conformance'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'

import { halt, type HaltHookOptions, type HaltOptions, type LimitedContext } from '../src/index.ts'

/** Drives the adapter for the suite: guards before all routes are registered, each in a child; others are hooks. */
export const adapter: AdapterUnderTest = {
  name: 'Fastify 5',
  connect,
  http2: (url, options) => connectHttp2(url, options),
  header: (request: FastifyRequest, name) => request.headers[name]?.toString(),
  status: (reply: FastifyReply) => reply.statusCode,
  answer: ({ reply }: LimitedContext, { status = reply.statusCode, body }) => reply.code(status).send(body),
  serve: async setup => {
    const options = { forceCloseConnections: true }
    // The types tell an HTTP/2 server apart, for the routes there is no difference.
    const app = setup.http2
      ? (Fastify({ ...options, http2: true }) as unknown as FastifyInstance)
      : Fastify(options)
    await build(app, setup)
    return listen(app)
  },
}

async function listen(app: FastifyInstance): Promise<Served> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    close: () => app.close(),
  }
}

async function build(app: FastifyInstance, { guards, handle, headers }: Setup): Promise<void> {
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.decorateRequest('user', null)
  app.addHook('onRequest', async (request, reply) => {
    const id = request.headers['x-user']
    if (id !== undefined) Object.assign(request, { user: { id } })
    reply.headers(headers)
  })
  const before = guards.filter(({ at }) => at === undefined).map(({ options }) => options as HaltOptions)
  // Without one the plugin is there for its hooks only.
  const off = { ...(guards[0]?.options as HaltOptions), global: false }
  await nest(app, before.length === 0 ? [off] : before, inner => {
    for (const { method, path } of ROUTES) {
      const own = guards
        .filter(({ at }) => at === path)
        .map(({ options }) => inner.halt(hookOptions(options)))
      inner.route({
        method: method === 'ALL' ? inner.supportedMethods : method,
        url: path,
        onRequest: own,
        handler: async (request, reply) => {
          const { status, body } = await handle({ method, path, decision: request.halt })
          return reply.code(status).send(body)
        },
      })
    }
  })
}

async function nest(
  app: FastifyInstance,
  [first, ...rest]: readonly HaltOptions[],
  declare: (inner: FastifyInstance) => void,
): Promise<void> {
  if (first !== undefined) await app.register(halt, first)
  if (rest.length === 0) declare(app)
  else await app.register(child => nest(child, rest, declare))
}

function hookOptions(options: SuiteOptions): HaltHookOptions {
  return options as HaltHookOptions
}
