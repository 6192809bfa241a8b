import type { Control, ControlEntry } from '@halt/control'
import {
  type CounterReading,
  type Explanation,
  type HaltError,
  lastChargedPlan,
  type RateLimiter,
} from '@halt/core'

import type { OpenClient, OpenPlan } from './client.ts'
import type { Whom } from './target.ts'

/** An identity with its explanation and its counters. */
export interface ClientView {
  readonly identity: Whom
  readonly explanation: Explanation
  readonly counters: readonly CounterReading[]
  /** The keys under which entries of operators may stand. */
  readonly keys: readonly (string | undefined)[]
}

/** A client under one plan: its id, and each part of it. */
export interface PlanView {
  /** Undefined if there are no plans. */
  readonly plan: string | undefined
  readonly views: readonly ClientView[]
  /** Whether a policy of this plan counts the client at all. */
  readonly isCounted: boolean
  /** Whether the client is refused now under this plan. */
  readonly isRefused: boolean
}

/** A client under all plans. */
export interface ClientReading {
  readonly plans: readonly PlanView[]
  /** The plan under which it was charged last; undefined if its counters do not tell, or there are no plans. */
  readonly last: string | undefined
  /** The plan that it has, as the operator says; undefined if that is not known. */
  readonly own: string | undefined
}

/** Reads a client under each plan, and charges nothing. */
export async function readClient({ identity, plans, own }: OpenClient): Promise<ClientReading> {
  const read = await Promise.all(plans.map(plan => readPlan(plan, identity)))
  const named = read.map(({ plan = '', views }) => ({
    name: plan,
    counters: views.flatMap(({ counters }) => counters),
  }))
  return { plans: read, last: plans[0]?.name === undefined ? undefined : lastChargedPlan(named), own }
}

async function readPlan({ name, limiter }: OpenPlan, identity: Whom): Promise<PlanView> {
  // An id with an address is explained as both together, and as each alone, because policies and entries may count either.
  const views = await Promise.all(partsOf(identity).map(part => viewOf(limiter, part)))
  return {
    plan: name,
    views,
    isCounted: views.some(({ explanation }) => explanation.decision !== undefined),
    isRefused: views.some(({ explanation }) => explanation.decision?.allowed === false),
  }
}

async function viewOf(limiter: RateLimiter, identity: Whom): Promise<ClientView> {
  const explanation = await limiter.explain(identity)
  const { decision, policies } = explanation
  const keys = [decision?.key, ...policies.map(({ key }) => key)]
  return { identity, explanation, counters: await countersOf(limiter, identity), keys }
}

/** The counters of an identity; none if it reaches none. */
export async function countersOf(limiter: RateLimiter, identity: Whom): Promise<readonly CounterReading[]> {
  try {
    return await limiter.inspect(identity)
  } catch (error) {
    // The explanation names the identities that reach the counters.
    if ((error as HaltError).code === 'HALT_E_IDENTITY_KIND') return []
    throw error
  }
}

/** The plans that may decide about the client: its own or, if that is not known, the one that charged it last; otherwise all. */
export function plansInForce({ plans, last, own = last }: ClientReading): readonly PlanView[] {
  const known = plans.filter(({ plan }) => plan === own)
  return known.length === 0 ? plans : known
}

/** Whether the client is refused under each plan that may decide about it. */
export function isRefused(reading: ClientReading): boolean {
  return plansInForce(reading).every(plan => plan.isRefused)
}

/** The entries of operators about a client. */
export async function entriesOf(
  { plans }: ClientReading,
  control: Control,
): Promise<readonly ControlEntry[]> {
  const keys = new Set(plans.flatMap(({ views }) => views.flatMap(view => view.keys)))
  return (await control.entries()).filter(({ target }) => target !== undefined && keys.has(target))
}

/** An identity and, if it is an id with an address, each of the two alone. */
export function partsOf(identity: Whom): readonly Whom[] {
  if (!('ip' in identity)) return [identity]
  const { ip, ...id } = identity
  return Object.keys(id).length === 0 ? [identity] : [identity, id as Whom, { ip }]
}
