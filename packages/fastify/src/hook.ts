import type { FastifyReply, FastifyRequest } from 'fastify'

import type { Done, Step } from './request-guard.ts'

/** A Fastify hook. `preParsing` gets the payload before `done`. */
export type Hook = (request: FastifyRequest, reply: FastifyReply, payloadOrDone: unknown, done?: Done) => void

/** Makes a hook of a step. It fits every lifecycle hook at which a request can be refused. */
export function hookOf(step: Step): Hook {
  return function haltHook(request, reply, payloadOrDone, done = payloadOrDone as Done) {
    step.enter(request, reply, done)
  }
}

/** Joins two steps: the second runs after the first has passed the request on. */
export function sequence(first: Step | undefined, second: Step | undefined): Step {
  return {
    enter(request, reply, done) {
      const next: Done = error =>
        error !== undefined || second === undefined ? done(error) : second.enter(request, reply, done)
      if (first === undefined) next()
      else first.enter(request, reply, next)
    },
  }
}
