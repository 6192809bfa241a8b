import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'

import underPressure from '@fastify/under-pressure'
import { type LoadShedder, loadShedder } from '@halt/overload'
import express, { type RequestHandler } from 'express'
import Fastify from 'fastify'
import toobusy from 'toobusy-js'

import type { Kind } from './kinds.ts'

/** Makes a server that guards a handler against overload. */
export type Guard = (kind: Kind) => Promise<Server> | Server

const require = createRequire(import.meta.url)

function app({ work }: Kind, ...before: readonly RequestHandler[]): express.Express {
  const made = express()
  for (const each of before) made.use(each)
  made.get('/', async (_request, response) => {
    await work()
    response.send('done')
  })
  return made
}

const shedding =
  (shedder: () => LoadShedder): Guard =>
  kind =>
    createServer(shedder().wrap(app(kind)))

const refuse: RequestHandler = (_request, response) => void response.status(503).send('busy')

/**
 * A limit on requests in flight that somebody has set. A place is free at the end of the loop's turn, so that it sees handlers that use
 * the processor.
 */
function fixed(limit: number): Guard {
  return kind => {
    const guarded = app(kind)
    let inFlight = 0
    return createServer((request, response) => {
      if (inFlight >= limit) return void response.writeHead(503).end('busy')
      inFlight++
      response.once('close', () => setImmediate(() => inFlight--))
      guarded(request, response)
    })
  }
}

/** The guards, all but under-pressure on Express. Each with the defaults of its package, or with the threshold of its README. */
export const guards = {
  none: kind => createServer(app(kind)),
  halt: shedding(() => loadShedder()),
  'static 2': fixed(2),
  'static 4': fixed(4),
  'static 12': fixed(12),
  'static 24': fixed(24),
  'toobusy-js': kind =>
    createServer(
      app(kind, (request, response, next) => (toobusy() ? void refuse(request, response, next) : next())),
    ),
  'overload-protection': kind => {
    const protection = require('overload-protection') as (framework: string) => RequestHandler
    return createServer(app(kind, protection('express')))
  },
  '@fastify/under-pressure': async ({ work }) => {
    const fastify = Fastify()
    await fastify.register(underPressure, { maxEventLoopDelay: 50 })
    fastify.get('/', async () => {
      await work()
      return 'done'
    })
    await fastify.ready()
    return fastify.server
  },
} satisfies Record<string, Guard>

/** Refuses every request, to measure what that costs. */
export const refusing: Guard = kind => {
  const shedder = loadShedder({ min: 1, max: 1 })
  const server = createServer(shedder.wrap(app(kind)))
  // Requests that never end hold the only place: each gives it up after ten seconds.
  const hold = shedder.fetch(() => new Promise(() => {}))
  void hold(new Request('http://bench/'))
  setInterval(() => void hold(new Request('http://bench/')), 10).unref()
  return server
}

/** The names of the guards. */
export type GuardName = keyof typeof guards
