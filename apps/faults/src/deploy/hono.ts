import { once } from 'node:events'

import { drain, halt, type HaltOptions } from '@halt/hono'
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

import { countsByStatus, type Serve } from './kit.ts'
import { MAX_WAIT, ROUTES } from './policies.ts'

export const serveHono: Serve = async ({ limiters, answer }, port) => {
  const app = new Hono()
  for (const route of ROUTES) {
    const counts = countsByStatus(route)
    const options: HaltOptions = {
      limiter: limiters[route],
      getConnInfo,
      ...(counts && { chargeWhen: (response: Response) => counts(response.status) }),
      ...(route === 'waits' && { delay: { maxWait: MAX_WAIT } }),
    }
    if (route !== 'acquires') app.use(`/${route}`, halt(options))
    app.all(`/${route}`, async c => {
      const { status, body } = await answer(route, c.req.url)
      return c.text(body, status as ContentfulStatusCode)
    })
  }
  const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })
  await once(server, 'listening')
  return () => drain(server, { limiter: Object.values(limiters) })
}
