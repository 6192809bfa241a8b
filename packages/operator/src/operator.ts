import { fromCaller, warnOnce } from '@halt/core'

import { admit } from './admission.ts'
import { call } from './api.ts'
import { Desk } from './desk/desk.ts'
import { errorAnswer, json, redirect, text } from './answer.ts'
import type { OperatorHandler } from './handler.ts'
import { mountOnFastify } from './mount/fastify.ts'
import { mountOnNode } from './mount/node.ts'
import { checkOptions, type OperatorOptions } from './options.ts'
import { fileNamed } from './serve-page/page-files.ts'
import { routeOf } from './route.ts'
import { refuseOtherHosts, refuseOthers } from './same-origin.ts'
import { Watch } from './watch/watch.ts'

/**
 * Makes the operator's page: the numbers of all processes, every counter of a client, and acts that hold in every process.
 *
 * The page is a Fetch handler, and mounts in one line elsewhere. It finds its path by itself, records only while somebody watches,
 * and costs one command of the store every two seconds otherwise.
 *
 * @throws HaltError `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`
 * @example
 * const page = operator({ limiters: [limiter], control, authorize: (_request, req: Request) => req.user?.email })
 * app.use('/halt', page.node)
 */
export function operator<C = unknown>(options: OperatorOptions<C>): OperatorHandler<C> {
  const { authorize, shedders, hosts, ...parts } = fromCaller(operator, () => checkOptions(options))
  const watch = new Watch(parts.store, parts.limiters, shedders)
  const desk = new Desk({ ...parts, watch })
  // A receiver of its own, so that no other callback has used up the one warning.
  const warn = warnOnce(parts.limiters[0]?.limiter.options.warn)

  async function answer(request: Request, context: C): Promise<Response> {
    try {
      refuseOtherHosts(request, hosts)
      const route = routeOf(request)
      const name = await admit(authorize, request, context, warn)
      if (typeof name !== 'string') return name
      if (route.kind === 'api') {
        refuseOthers(request, hosts)
        return json(200, await call(route.name, request, { desk, name, context }))
      }
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return text(405, 'Only GET.', { Allow: 'GET, HEAD' })
      if (route.kind === 'elsewhere') return redirect(route.to)
      return fileNamed(route.name) ?? text(404, 'Not found.')
    } catch (error) {
      return errorAnswer(error)
    }
  }

  const handle = (request: Request, context?: C): Promise<Response> => answer(request, context as C)
  return Object.assign(handle, {
    node: mountOnNode(handle),
    fastify: mountOnFastify(handle),
    close: () => watch.close(),
  })
}
