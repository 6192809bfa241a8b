import { createServer, IncomingMessage } from 'node:http'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import type { Express, NextFunction, Request, Response } from 'express'
import { describe, expect, it } from 'vitest'

import { halt } from '../src/index.ts'
import { listen } from './adapter.ts'
import { versions } from './versions.ts'

const limiterOf = (name: string, limit: number): RateLimiter<Request> =>
  new RateLimiter<Request>({
    store: new InMemoryStore(),
    policy: { name, limit, window: 60 },
    exemptPrivateIps: false,
  })

async function ask(app: Express): Promise<string> {
  const { url, close } = await listen(app)
  try {
    return await (await fetch(`${url}/sub/ask`)).text()
  } finally {
    await close()
  }
}

describe.each(versions)('req.halt on %s', (_name, express) => {
  it('req.halt is the tightest decision, in sub-apps and after them in the outer app', async () => {
    const app = express()
    const sub = express()
    const seen: unknown[] = []
    const look = (req: Request, _res: Response, next: NextFunction): void => {
      seen.push(req.halt?.policy)
      next()
    }
    sub.use(look, halt({ limiter: limiterOf('inner', 3) }), look)
    app.use(look, halt({ limiter: limiterOf('outer', 9) }), look)
    app.use('/sub', sub)
    app.use(look, (req, res) => void res.send('done'))
    expect(await ask(app)).toBe('done')
    expect(seen).toEqual([undefined, 'outer', 'outer', 'inner', 'inner'])
  })

  it('req.halt reaches error handlers, and is undefined if no guard has checked the request', async () => {
    const app = express()
    app.get('/sub/ask', halt({ limiter: limiterOf('api', 9) }), () => {
      throw new Error('broken')
    })
    app.use((_error: unknown, req: Request, res: Response, _next: NextFunction) => {
      res.send(`${req.halt?.policy} ${'halt' in req}`)
    })
    expect(await ask(app)).toBe('api true')
    const other = express()
    other.use((req, res) => void res.send(typeof req.halt))
    expect(await ask(other)).toBe('undefined')
  })

  it('req.halt can be assigned like any property', async () => {
    const app = express()
    app.use(halt({ limiter: limiterOf('api', 9) }), (req, res) => {
      req.halt = undefined
      res.send(`${String(req.halt)} ${Object.hasOwn(req, 'halt')}`)
    })
    expect(await ask(app)).toBe('undefined true')
  })

  it('req.halt is an own property on requests of other servers, and leaves their prototype unchanged', async () => {
    const guard = halt({ limiter: limiterOf('api', 9) })
    const server = createServer((req, res) => {
      guard(req as Request, res as Response, () => {
        res.end(`${(req as Request).halt?.policy} ${Object.hasOwn(req, 'halt')}`)
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    server.close()
    expect(text).toBe('api true')
    expect('halt' in IncomingMessage.prototype).toBe(false)
  })
})
