import type { Decision } from '@halt/core'
import { fromCaller, HaltError } from '@halt/core'
import { forgetDefaultStore } from '@halt/core/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { Done } from './gate.ts'
import { hookOf } from './hook.ts'
import type { HaltHookOptions, HaltOptions, HaltRouteOptions } from './options.ts'
import { Registration } from './registration.ts'
import { Routes } from './routes.ts'

/** A hook of one's own: for `onRequest`, `preValidation`, `preHandler` of a route or a not-found handler. */
export type HaltHook = (request: HookRequest, reply: HookReply, done: Done) => void
/** Any Fastify request, whatever its server and route types. */
export type HookRequest = Pick<FastifyRequest, 'id'>
/** Any Fastify reply. */
export type HookReply = Pick<FastifyReply, 'sent'>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How this route is limited, beside the global limit; false: not at all. */
    halt?: HaltRouteOptions | false | undefined
  }
  interface FastifyRequest {
    /** The binding decision of the checks passed so far. */
    halt: Decision | undefined
  }
  interface FastifyInstance {
    /** Makes a hook that counts requests; without options, by what was registered. */
    halt(options?: HaltHookOptions): HaltHook
  }
}

async function haltPlugin(app: FastifyInstance, options: HaltOptions): Promise<void> {
  if (Object.hasOwn(app, 'halt')) {
    const fix =
      'Register it once, or the second time in a child: app.register(async child => { await child.register(halt, …) }).'
    throw new HaltError('HALT_E_ALREADY_REGISTERED', 'Halt is registered on this instance already.', fix)
  }
  const registration = new Registration(options)
  const makeHook = (own?: HaltHookOptions): HaltHook => {
    const { gate } = registration
    const found = own === undefined ? gate : fromCaller(makeHook, () => registration.gateFor(own))
    return hookOf(found) as unknown as HaltHook
  }
  const hasEarlier = !app.printRoutes().startsWith('(empty tree)')
  const routes = new Routes(registration, instance => instance.halt === makeHook, hasEarlier)
  app.decorate('halt', makeHook)
  if (!app.hasRequestDecorator('halt')) app.decorateRequest('halt', undefined)
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
 * Counts requests and answers those over the limit with 429: all of an instance, single routes, or both in one check.
 *
 * It works on the instance it is registered on and what is below (as if wrapped in `fastify-plugin`); a route's
 * `config.halt` adds policies to the global ones.
 *
 * @example
 * await app.register(halt, { policy: presets.PUBLIC_API })
 * app.post('/auth/login', { config: { halt: { policy: presets.AUTH_ENDPOINTS } } }, login)
 */
export const halt: typeof haltPlugin = Object.assign(haltPlugin, {
  // What fastify-plugin sets: the decorators are the parent's, and the version is checked.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@halt/fastify',
  [Symbol.for('plugin-meta')]: { name: '@halt/fastify', fastify: '5.x' },
})
