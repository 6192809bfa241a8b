import type { Policy, Awaitable, Cost, Limiter } from '@halt/core'
import { isPromise } from '@halt/core/http'
import type { FastifyRequest } from 'fastify'

import { REFUSAL_OPTIONS, type RequestGuardOptions } from './options.ts'

type Given = Readonly<Record<string, unknown>>
type Policies = NonNullable<RequestGuardOptions['policy']>

// Options that describe charges of the registered policies, so they do not apply to other policies.
const CHARGE_OPTIONS: readonly string[] = ['policy', 'cost', 'costOnError', 'chargeWhen', 'idempotencyKey']

/** Merges options over the options of the registration. `undefined` counts as absent. */
export function mergeOptions(base: RequestGuardOptions, own: RequestGuardOptions): RequestGuardOptions {
  const defaults =
    own.onLimited !== undefined || own.throwOnLimited === true ? without(base, REFUSAL_OPTIONS) : base
  return { ...defaults, ...(withoutUndefined(own) as RequestGuardOptions) }
}

/** Merges options for a check without the registered policies: it inherits only how requests are skipped and answered. */
export function mergeForOwnPolicies(
  base: RequestGuardOptions,
  own: RequestGuardOptions,
): RequestGuardOptions {
  return mergeOptions(without(base, CHARGE_OPTIONS), own)
}

/** Merges options for a check that adds policies to the registered ones. */
export function mergeForAddedPolicies(
  base: RequestGuardOptions,
  own: RequestGuardOptions,
  limiter: Limiter<FastifyRequest>,
): RequestGuardOptions {
  const { policy: _, ...rest } = own
  const { cost } = base
  if (cost === undefined || rest.cost !== undefined) return mergeOptions(base, rest)
  // A number would replace the cost of every policy, so limit the registered cost to the registered policies.
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

/** The policies of a route that are not registered already. The same object twice is one policy. */
export function addedPolicies(
  policy: Policies,
  base: RequestGuardOptions,
  limiter: Limiter<FastifyRequest>,
): readonly Policy<FastifyRequest>[] {
  const registered = base.policy ?? limiter.options.policy
  const known = typeof registered === 'function' ? [] : listOf(registered)
  return listOf(policy).filter(one => !known.includes(one))
}

function listOf(policy: Policies): readonly Policy<FastifyRequest>[] {
  return Array.isArray(policy)
    ? (policy as readonly Policy<FastifyRequest>[])
    : [policy as Policy<FastifyRequest>]
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
