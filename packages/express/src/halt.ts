import type { Decision } from '@halt/core'
import {
  type HeaderBag,
  matchedRoute,
  pathOf,
  type RequestView,
  fromCaller,
  watchResponse,
  type AdapterOptions,
  checkGuardOptions,
  departureOf,
  guard,
  type GuardOptions,
  guardOptionsOf,
  limiterOf,
  LIMITER_OPTIONS,
  type Outcome,
  trustProxyNotice,
} from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import { noticeLateMount } from './late-mount.ts'
import { callOnLimited, type OnLimited, sendRefusal, showDecision } from './response.ts'
import type { Request, Response, NextFunction } from 'express'

/** The parts of an Express request that Halt reads. */
export class ExpressView implements RequestView {
  // Read at once, because a socket forgets its address when the client leaves.
  readonly ip: string | undefined
  readonly request: Request

  constructor(req: Request, res: Response) {
    // Do not read req.ip: "trust proxy" derives it from headers, by hop counts and the leftmost entry.
    // perf: test "inline caches"; Express reads the socket of the response anyway, and not the socket of the request. The response has
    // no socket while another response of its connection is sent. A request that a test made by hand may have no socket either.
    const socket = (res as Partial<Response>).socket ?? (req as Partial<Request>).socket
    this.ip = socket?.remoteAddress
    this.request = req
  }

  get method(): string {
    return this.request.method
  }

  /** Not req.path, which is relative to the mount. Servers other than Express have only `url`. */
  get target(): string {
    return (this.request as Partial<Request>).originalUrl ?? this.request.url
  }

  get path(): string {
    return pathOf(this.target)
  }

  /** Node builds this object at the first access, and most checks do not need it. */
  get headers(): HeaderBag {
    return (this.request as Partial<Request>).headers ?? {}
  }

  get httpVersion(): string | undefined {
    return this.request.httpVersion
  }

  /** The pattern of the route that the middleware is mounted on; undefined if it is mounted before the routes. */
  get route(): RequestView['route'] {
    return matchedRoute(this.request)
  }
}

declare global {
  namespace Express {
    interface Request {
      /** The binding decision of the guards that this request has passed; undefined if no guard has checked it. */
      halt?: Decision | undefined
    }
  }
}

/** Options of {@link halt}: a limiter or the options of one, and the options that all adapters share. */
export type HaltOptions = AdapterOptions<Request, Response> & ExpressOptions

/** The option that only this adapter has. */
interface ExpressOptions {
  /** Answers a refused request instead of the default body, or calls `next`. Headers and status are set already. */
  readonly onLimited?: OnLimited | undefined
}

/** A middleware for any route. It does not change the types of parameters and bodies. */
export type HaltMiddleware = <P, ResBody, ReqBody, Query, Locals extends Record<string, unknown>>(
  req: Request<P, ResBody, ReqBody, Query, Locals>,
  res: Response<ResBody, Locals>,
  next: NextFunction,
) => void

const OWN_OPTIONS: readonly string[] = [...LIMITER_OPTIONS, 'limiter', 'onLimited']

/**
 * Middleware that counts requests and answers those over the limit with 429.
 *
 * Works with `app.use`, routers and single routes, on Express 4 and 5. Sets `req.halt` to the decision.
 *
 * @throws HaltError when an option is wrong
 * @example
 * app.use(halt({ policy: presets.PUBLIC_API }))
 * app.post('/auth/login', halt({ limiter: authLimiter }), login)
 */
export function halt(options: HaltOptions): HaltMiddleware {
  const requestGuard = fromCaller(halt, () => {
    checkGuardOptions(options as GuardOptions, OWN_OPTIONS)
    const own = limiterOf<Request>(options, () => new InMemoryStore())
    return guard<Request, Response>(own, guardOptionsOf(options))
  })
  const { limiter } = requestGuard
  // A request of another server has no app, for example one of Node's own server, of Connect or of a test.
  const noticeTrustProxy = trustProxyNotice(
    limiter,
    'Express has "trust proxy" set',
    ({ app }: Partial<Request>) => app?.enabled?.('trust proxy') === true,
  )
  const { onLimited } = options
  let look: ((req: Request) => void) | undefined = req => {
    look = undefined
    noticeTrustProxy(req)
    noticeLateMount(req, haltMiddleware, warning => limiter.warn(warning))
  }

  function haltMiddleware(req: Request, res: Response, next: NextFunction): void {
    let outcome: Outcome | Promise<Outcome>
    try {
      look?.(req)
      const departure = requestGuard.delays ? departureOf(res) : undefined
      outcome = requestGuard.enter(new ExpressView(req, res), req, departure)
    } catch (error) {
      return next(error)
    }
    if (!('then' in outcome)) return conclude(outcome, req, res, next)
    outcome.then(found => conclude(found, req, res, next)).catch(next)
  }

  function conclude(outcome: Outcome, req: Request, res: Response, next: NextFunction): void {
    try {
      if (!admits(outcome, req, res, next)) return
    } catch (error) {
      // A test may give a response without the methods of Node.
      return next(error)
    }
    next()
  }

  /** Tells the response of an outcome. Returns whether the request goes on; if not, it is answered. */
  function admits(outcome: Outcome, req: Request, res: Response, next: NextFunction): boolean {
    showDecision(outcome, req, res)
    const { pass, decision } = outcome
    if (pass && requestGuard.needsResponse) watchResponse(requestGuard, outcome, res, res)
    if (pass) return true
    if (onLimited === undefined || decision === undefined) sendRefusal(outcome, res)
    else callOnLimited(onLimited, limiter, outcome, decision, { req, res, next })
    return false
  }

  return haltMiddleware as HaltMiddleware
}
