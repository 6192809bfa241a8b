import type { Decision, RateLimiter } from '@halt/core'
import {
  applyHeaders,
  callUser,
  checkGuardOptions,
  guard,
  type GuardOptions,
  type LimiterShorthand,
  limiterOf,
  LIMITER_OPTIONS,
  type Outcome,
  type RequestView,
} from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import type { NextFunction, Request, RequestHandler, Response } from 'express'

import { settleOnEnd } from './response.ts'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** The binding decision of the Halt guards passed so far. */
      halt?: Decision | undefined
    }
  }
}

/** What a custom answer gets. */
export interface LimitedContext {
  readonly req: Request
  readonly res: Response
  readonly next: NextFunction
}

/** Options of {@link halt}: a limiter, or any of its options, beside those all adapters share. */
export type HaltOptions = LimiterShorthand<Request> &
  GuardOptions<Request, Response> & {
    /** Answers a refused request instead of the default body; its headers are set already. */
    readonly onLimited?: ((decision: Decision, context: LimitedContext) => unknown) | undefined
  }

/**
 * Middleware that counts requests and answers those over the limit with 429.
 *
 * Works with `app.use`, routers and single routes, on Express 4 and 5. `req.halt` is the decision.
 *
 * @throws HaltError when an option is wrong
 * @example
 * app.use(halt({ policy: presets.PUBLIC_API }))
 * app.post('/auth/login', halt({ limiter: authLimiter }), login)
 */
export function halt(options: HaltOptions): RequestHandler {
  checkGuardOptions(options as GuardOptions, [...LIMITER_OPTIONS, 'limiter', 'onLimited'])
  const limiter = limiterOf<Request>(options, () => new InMemoryStore())
  // Without a limiter of its own, `policy` is the limiter's already.
  const { policy, ...rest } = options as GuardOptions<Request, Response>
  const gate = guard(limiter, options.limiter === undefined ? rest : { ...rest, policy })

  return function haltMiddleware(req, res, next): void {
    noticeTrustProxy(req, limiter)
    const outcome = gate.enter(viewOf(req), req)
    if (outcome instanceof Promise) outcome.then(found => conclude(found, req, res, next)).catch(next)
    else conclude(outcome, req, res, next)
  }

  function conclude(outcome: Outcome, req: Request, res: Response, next: NextFunction): void {
    apply(outcome, req, res)
    if (outcome.pass) {
      if (gate.watches) settleOnEnd(res, gate, outcome)
      return next()
    }
    const { onLimited } = options
    if (onLimited === undefined) return send(outcome, res)
    const answer = (): unknown => onLimited(outcome.decision as Decision, { req, res, next })
    const answered = callUser(limiter, 'onLimited', 'Such a request gets the default answer.', answer)
    if (answered instanceof Promise) void answered.then(({ failed }) => failed && send(outcome, res))
    else if (answered.failed) send(outcome, res)
  }
}

/**
 * Answers a request as a guard would have: for a handler that decided by itself.
 *
 * @example
 * const decision = await limiter.check(req, { cost: 10 })
 * if (!decision.allowed) return sendLimited({ req, res }, decision)
 */
export function sendLimited({ req, res }: { req: Request; res: Response }, decision: Decision, options: GuardOptions<Request, Response> = {}): void {
  const outcome = guard(NO_LIMITER, options).refuse(decision)
  apply(outcome, req, res)
  send(outcome, res)
}

// Headers in the default dialect need nothing of the limiter.
const NO_LIMITER = { policies: [], policyNamed: () => undefined, warn: () => {} } as unknown as RateLimiter<Request>

function viewOf(req: Request): RequestView {
  const route = req.route as { path?: unknown } | undefined
  const url = req.originalUrl
  const query = url.indexOf('?')
  return {
    method: req.method,
    path: query < 0 ? url : url.slice(0, query),
    route: typeof route?.path === 'string' ? req.baseUrl + route.path : undefined,
    // Not req.ip: that is what "trust proxy" makes of headers, by hop counts and the leftmost entry.
    ip: req.socket.remoteAddress,
    headers: req.headers,
    request: req,
  }
}

function apply(outcome: Outcome, req: Request, res: Response): void {
  const { decision, headers } = outcome
  if (decision === undefined) return
  const isBinding = !decision.allowed || Object.keys(headers).length > 0 || req.halt === undefined
  if (isBinding) req.halt = decision
  if (res.headersSent) return
  applyHeaders(headers, {
    get: name => res.getHeader(name)?.toString(),
    set: (name, value) => void res.setHeader(name, value),
  })
}

function send({ status, body }: Outcome, res: Response): void {
  if (res.headersSent || body === undefined) return
  res.status(status).setHeader('Content-Type', body.type)
  res.end(body.text)
}

function noticeTrustProxy(req: Request, limiter: RateLimiter<Request>): void {
  const { trustedProxies, clientIp } = limiter.options
  if (clientIp !== undefined || (trustedProxies !== undefined && trustedProxies.length !== 0)) return
  if (!(req.app as { enabled?: (name: string) => boolean } | undefined)?.enabled?.('trust proxy')) return
  limiter.warn({
    code: 'HALT_W_TRUST_PROXY_IGNORED',
    message: 'Express has "trust proxy" set, but Halt finds the client by its own trustedProxies, which is empty.',
    fix: 'Give the limiter the same proxies: trustedProxies: ["loopback", "10.0.0.0/8"].',
  })
}
