import type { Decision } from '@halt/core'
import { fromCaller, HaltError, decisionOf, forgetDefaultStore } from '@halt/core/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { Done } from './request-guard.ts'
import { hookOf } from './hook.ts'
import type { HaltHookOptions, HaltOptions, HaltRouteOptions } from './options.ts'
import { Registration } from './registration.ts'
import { Routes } from './routes.ts'

/** A hook that counts requests, for `onRequest`, `preValidation` or `preHandler` of a route or a not-found handler. */
export type HaltHook = (request: HookRequest, reply: HookReply, done: Done) => void
/** Any Fastify request, whatever its server and route types. */
export type HookRequest = Pick<FastifyRequest, 'id'>
/** Any Fastify reply. */
export type HookReply = Pick<FastifyReply, 'sent'>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How this route is limited, in addition to the global limit. False: the route is not counted. */
    halt?: HaltRouteOptions | false | undefined
  }
  interface FastifyRequest {
    /** The binding decision of the checks that this request has passed so far. */
    readonly halt: Decision | undefined
  }
  interface FastifyInstance {
    /** Makes a hook that counts requests. Without options it counts as the registered plugin does. */
    halt(options?: HaltHookOptions): HaltHook
  }
}

function shownDecision(this: FastifyRequest): Decision | undefined {
  return decisionOf(this.raw)
}

async function haltPlugin(app: FastifyInstance, options: HaltOptions): Promise<void> {
  if (Object.hasOwn(app, 'halt')) {
    const fix =
      'Register it once. To add a limit to a child: app.register(async child => { await child.register(halt, …) }).'
    throw new HaltError('HALT_E_ALREADY_REGISTERED', 'Halt is registered on this instance already.', fix)
  }
  const registration = new Registration(options)
  const makeHook = (own?: HaltHookOptions): HaltHook => {
    const { guard } = registration
    const found = own === undefined ? guard : fromCaller(makeHook, () => registration.guardFor(own))
    return hookOf(found) as unknown as HaltHook
  }
  const hasEarlier = !app.printRoutes().startsWith('(empty tree)')
  const routes = new Routes(registration, instance => instance.halt === makeHook, hasEarlier)
  app.decorate('halt', makeHook)
  // A getter over what the guards have noted costs a request less than a property of its own.
  if (!app.hasRequestDecorator('halt')) app.decorateRequest('halt', { getter: shownDecision })
  app.addHook('onRoute', function haltRoute(route) {
    routes.declare(this, route)
  })
  app.addHook('onClose', (_app, done) => {
    forgetDefaultStore(registration.limiter)
    done()
  })
  app.addHook('onReady', done => done(routes.error as Error | undefined))
  if (registration.isGlobal || hasEarlier) app.addHook(registration.hook as 'onRequest', hookOf(routes))
}

/**
 * Counts requests and answers those over the limit with 429: for all routes of an instance, for single routes, or both.
 *
 * It works on the instance that registers it and on its children, as if wrapped in `fastify-plugin`. The `config.halt` of a
 * route adds policies to the global ones, and all of them are decided in one check.
 *
 * @example
 * await app.register(halt, { policy: presets.PUBLIC_API })
 * app.post('/auth/login', { config: { halt: { policy: presets.AUTH_ENDPOINTS } } }, login)
 */
export const halt: typeof haltPlugin = Object.assign(haltPlugin, {
  // The properties that fastify-plugin sets: they add the decorators to the parent, and let Fastify check its version.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@halt/fastify',
  [Symbol.for('plugin-meta')]: { name: '@halt/fastify', fastify: '5.x' },
})
