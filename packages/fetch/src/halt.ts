import {
  fromCaller,
  HaltError,
  type AdapterOptions,
  checkGuardOptions,
  describe,
  type Guard,
  guard,
  type GuardOptions,
  guardOptionsOf,
  LIMITER_OPTIONS,
  limiterOf,
} from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'

import type { Checked } from './checked.ts'
import { type AnsweredCall, Gate } from './gate.ts'
import { type FetchEvent, readArguments } from './handler-arguments.ts'
import type { HaltOptions } from './options.ts'
import { addressSource } from './platforms.ts'

/** Wraps handlers so that requests over the limit are answered with 429. */
export interface Limit<R extends Request = Request, C = unknown> {
  /** Wraps a handler of a request, or one without parameters. */
  <H extends (request: R, context: C) => unknown>(
    handler: H,
  ): (
    ...given: Parameters<H> extends readonly []
      ? [request: R | FetchEvent, ...rest: unknown[]]
      : [request: R, context?: C]
  ) => Promise<Awaited<ReturnType<H>> | Response>
  /** Wraps a handler with parameters of its own: a request and more, or an event that holds the request. */
  <A extends readonly [Request | FetchEvent, ...unknown[]], T>(
    handler: (...given: A) => T,
  ): (...given: A) => Promise<Awaited<T> | Response>
  /**
   * Counts a request, for middleware.
   *
   * @example
   * const { response, finish } = await limit.check(request)
   * return response ?? finish(await next())
   */
  check(request: R | FetchEvent, context?: C): Promise<Checked>
}

const OWN_OPTIONS: readonly string[] = [...LIMITER_OPTIONS, 'limiter', 'onLimited', 'route']

/**
 * Makes a function that wraps handlers of Fetch requests: it counts requests and answers those over the limit with 429.
 *
 * @throws HaltError when an option is wrong
 * @example
 * const limit = halt({ policy: presets.PUBLIC_API, clientIp: 'vercel' })
 * export const POST = limit(async request => Response.json(await request.json()))
 */
export function halt<R extends Request = Request, C = unknown>(options: HaltOptions<R, C>): Limit<R, C> {
  const gate = fromCaller(halt, () => {
    checkGuardOptions(options as GuardOptions, OWN_OPTIONS)
    const { clientIp, route, onLimited, ...shared } = options
    const source = addressSource(clientIp)
    return new Gate<R, C>(guardOf<R, C>(shared), source, route, onLimited)
  })

  function limit(handler: (...given: unknown[]) => unknown): (...given: unknown[]) => Promise<unknown> {
    fromCaller(limit, () => checkHandler(handler))
    // Two named parameters, because Deno passes no request to a function whose `length` is 0.
    return async (request, context, ...more) => {
      const call = readArguments(request, context)
      const outcome = await gate.enter(call)
      return outcome.pass
        ? gate.accompany(outcome, call, () => handler(request, context, ...more))
        : gate.refuse(outcome, call)
    }
  }

  limit.check = async (request: unknown, context?: unknown): Promise<Checked> => {
    const call = readArguments(request, context)
    return gate.check(await gate.enter(call), call)
  }

  return limit as unknown as Limit<R, C>
}

function checkHandler(handler: unknown): void {
  if (typeof handler === 'function') return
  const fix = 'Wrap a function: limit(request => response). With { fetch }, wrap its fetch.'
  throw new HaltError('HALT_E_OPTION', `limit() got ${describe(handler)}, which is not a function.`, fix)
}

function guardOf<R extends Request, C>(
  options: Omit<HaltOptions<R, C>, 'clientIp' | 'route' | 'onLimited'>,
): Guard<R, AnsweredCall> {
  const { chargeWhen } = options
  const limiter = limiterOf<R>(options, () => new InMemoryStore())
  return guard<R, AnsweredCall>(limiter, {
    ...guardOptionsOf<R, never>(options as unknown as AdapterOptions<R, never>),
    chargeWhen:
      chargeWhen && (({ response, request, context }) => chargeWhen(response, request as R, context as C)),
  })
}
