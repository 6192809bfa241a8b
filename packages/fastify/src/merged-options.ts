import type { AnyPolicy, Awaitable, Cost, RateLimiter } from '@halt/core'
import { isPromise } from '@halt/core/http'
import type { FastifyRequest } from 'fastify'

import type { RequestGuardOptions } from './options.ts'

type Given = Readonly<Record<string, unknown>>
type Policies = NonNullable<RequestGuardOptions['policy']>

// What is said of the registered policies' units is not meant for others.
const CHARGE_OPTIONS: readonly string[] = ['policy', 'cost', 'costOnError', 'chargeWhen', 'idempotencyKey']

/** Options for the registered policies: those given win, `undefined` is absent. */
export function mergeOptions(base: RequestGuardOptions, own: RequestGuardOptions): RequestGuardOptions {
  const defaults =
    own.onLimited !== undefined || own.throwOnLimited === true ? without(base, REFUSAL_OPTIONS) : base
  return { ...defaults, ...(withoutUndefined(own) as RequestGuardOptions) }
}

/** Options for policies of one's own: only how requests are skipped and answered is inherited. */
export function mergeForOwnPolicies(
  base: RequestGuardOptions,
  own: RequestGuardOptions,
): RequestGuardOptions {
  return mergeOptions(without(base, CHARGE_OPTIONS), own)
}

/** Options for the registered policies and a route's beside them. */
export function mergeForAddedPolicies(
  base: RequestGuardOptions,
  own: RequestGuardOptions,
  limiter: RateLimiter<FastifyRequest>,
): RequestGuardOptions {
  const { policy: _, ...rest } = own
  const { cost } = base
  if (cost === undefined || rest.cost !== undefined) return mergeOptions(base, rest)
  // A number replaces every policy's own cost: the registered one is for the registered policies.
  const names = limiter.compile(base.policy).map(({ name }) => name)
  if (names.length === 0) return mergeOptions(base, rest)
  const named = (units: Cost): Cost =>
    typeof units === 'number' ? Object.fromEntries(names.map(name => [name, units])) : units
  return mergeOptions(
    {
      ...base,
      cost: typeof cost === 'function' ? request => mapAwaitable(cost(request), named) : named(cost),
    },
    rest,
  )
}

/** A route's policies that are not registered already: the very same object twice is one policy. */
export function addedPolicies(
  policy: Policies,
  base: RequestGuardOptions,
  limiter: RateLimiter<FastifyRequest>,
): readonly AnyPolicy<FastifyRequest>[] {
  const registered = base.policy ?? limiter.options.policy
  const known = typeof registered === 'function' ? [] : listOf(registered)
  return listOf(policy).filter(one => !known.includes(one))
}

const REFUSAL_OPTIONS: readonly string[] = ['onLimited', 'throwOnLimited']

function listOf(policy: Policies): readonly AnyPolicy<FastifyRequest>[] {
  return Array.isArray(policy)
    ? (policy as readonly AnyPolicy<FastifyRequest>[])
    : [policy as AnyPolicy<FastifyRequest>]
}

function without(options: RequestGuardOptions, names: readonly string[]): RequestGuardOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)))
}

function withoutUndefined(options: object): Given {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function mapAwaitable<A, B>(value: Awaitable<A>, next: (value: A) => B): Awaitable<B> {
  return isPromise(value) ? (value as Promise<A>).then(next) : next(value as A)
}
