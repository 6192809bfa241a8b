import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import underPressure from '@fastify/under-pressure'
import { loadShedder } from '@halt/overload'
import express from 'express'
import Fastify from 'fastify'

import { kinds } from './kinds.ts'

/** Waits so long. Without a number: for ever. */
function wait(ms: string | undefined): Promise<void> {
  return new Promise(resolve => void (ms !== undefined && setTimeout(resolve, Number(ms))))
}

/** Uses the processor for a fifth of a millisecond. */
function work(): void {
  const end = performance.now() + 0.2
  while (performance.now() < end);
}

function app(): express.Express {
  const made = express()
  made.get('/cpu', async (_request, response) => {
    await kinds.cpu.work()
    response.send('done')
  })
  made.get(['/quick', '/other'], async (request, response) => {
    work()
    await wait(request.query['ms'] as string | undefined)
    response.send('done')
  })
  return made
}

/** Admits so many requests at once, whatever they do. */
function fixed(limit: number): express.RequestHandler {
  let inFlight = 0
  return (_request, response, next) => {
    if (inFlight >= limit) return void response.status(503).send('busy')
    inFlight++
    response.once('close', () => inFlight--)
    next()
  }
}

const servers: Record<string, () => Server | Promise<Server>> = {
  none: () => createServer(app()),
  'static 60': () => createServer(express().use(fixed(60), app())),
  'static 4': () => createServer(express().use(fixed(4), app())),
  async '@fastify/under-pressure'() {
    const fastify = Fastify()
    await fastify.register(underPressure, { maxEventLoopDelay: 50 })
    fastify.get('/cpu', async () => {
      await kinds.cpu.work()
      return 'done'
    })
    for (const path of ['/quick', '/other'])
      fastify.get(path, async request => {
        work()
        await wait((request.query as { ms?: string }).ms)
        return 'done'
      })
    await fastify.ready()
    return fastify.server
  },
  halt: () => {
    const shedder = loadShedder({
      priority: request => (request.headers['x-critical'] === undefined ? 'normal' : 'critical'),
    })
    return createServer(shedder.wrap(app()))
  },
}

// A guarded server with quick, slow and hanging routes, as a process. It tells its port.
const server = await servers[process.argv[2]!]!()
server.listen(0, '127.0.0.1', 4096, () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
