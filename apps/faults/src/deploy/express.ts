import { once } from 'node:events'

import { drain, halt, type HaltOptions } from '@halt/express'
import express, { type Request, type Response } from 'express'

import { countsByStatus, type Serve } from './kit.ts'
import { MAX_WAIT, ROUTES } from './policies.ts'

export const serveExpress: Serve = async ({ limiters, answer }, port) => {
  const app = express()
  for (const route of ROUTES) {
    const counts = countsByStatus(route)
    const options: HaltOptions = {
      limiter: limiters[route],
      ...(counts && { chargeWhen: (res: Response) => counts(res.statusCode) }),
      ...(route === 'waits' && { delay: { maxWait: MAX_WAIT } }),
    }
    const guards = route === 'acquires' ? [] : [halt(options)]
    app.all(`/${route}`, ...guards, async (req: Request, res: Response) => {
      const { status, body } = await answer(route, req.originalUrl)
      res.status(status).send(body)
    })
  }
  const server = app.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return () => drain(server, { limiter: Object.values(limiters) })
}
