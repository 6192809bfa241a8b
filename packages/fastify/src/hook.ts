import type { FastifyReply, FastifyRequest } from 'fastify'

import type { Done, Step } from './request-guard.ts'

/** A Fastify hook; `preParsing` has the payload before `done`. */
export type Hook = (request: FastifyRequest, reply: FastifyReply, payloadOrDone: unknown, done?: Done) => void

/** Makes a step a hook, for any point of a request. */
export function hookOf(step: Step): Hook {
  return function haltHook(request, reply, payloadOrDone, done = payloadOrDone as Done) {
    step.enter(request, reply, done)
  }
}

/** Two steps as one. */
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
