import type { Control } from '@halt/control'
import { type Policy, HaltError, type RateLimiter } from '@halt/core'
import { callAtOnce, checkNames, describe, namesOf } from '@halt/core/http'
import type { Store } from '@halt/core/store'

import { hostAsSent, isHost } from './same-origin.ts'
import { numbersOf, readerOf, type ReadShedders, type WatchedShedder } from './watch/shedders.ts'

/**
 * Says who sends a request of the page: a name, which the history shows. `undefined` means that nobody is signed in (401), `false`
 * that the person may not act (403). A `Response` is sent as it is: a redirect to your sign-in, or a 401 that asks for a password.
 *
 * It is asked at every request: pages, numbers and acts. An error, or no answer within five seconds, is a refusal.
 *
 * @param context the request of the framework: Node's on Express, Nest and `node:http`, Fastify's own; for a Fetch handler its
 * second argument
 */
export type Authorize<C> = (request: Request, context: C) => Answered | PromiseLike<Answered>
type Answered = string | false | undefined | Response

/* oxlint-disable typescript/no-explicit-any -- limiters of different request types go into one list */
/** A limiter of any request type. */
export type AnyLimiter = RateLimiter<any>
/** A policy of any request type. */
export type GivenPolicy = Policy<any>
/* oxlint-enable typescript/no-explicit-any */

/** The policies of each plan, by its name: `{ free: [FREE, FREE_MONTH], pro: [PRO, PRO_MONTH] }`. */
export type Plans = Readonly<Record<string, readonly GivenPolicy[]>>

/**
 * A limiter that the page shows. If its policies come from a function, `plans` lists the policies that it returns for each plan, and
 * `policies` lists the policies that it may return for everybody.
 */
export type Watched =
  | AnyLimiter
  | {
      readonly limiter: AnyLimiter
      readonly policies?: readonly GivenPolicy[] | undefined
      readonly plans?: Plans | undefined
    }

/** A client, as an operator looks for it: by one id, or by a user or an API key with an address. */
export interface Client {
  readonly user?: string | undefined
  readonly ip?: string | undefined
  readonly apiKey?: string | undefined
  readonly custom?: string | undefined
}

/** Tells the plan of a client, from the database of the application; `undefined` if it does not know. */
export type PlanOf = (client: Client) => string | undefined | PromiseLike<string | undefined>

/** Options of {@link operator}. */
export interface OperatorOptions<C = unknown> {
  /** The limiters of this process, on one store. */
  readonly limiters: readonly Watched[]
  /** The control of the limiters, by which the page blocks clients and changes numbers. */
  readonly control: Control
  readonly authorize: Authorize<C>
  /** The plans of every limiter whose policies come from a function, and which has no `plans` of its own. */
  readonly plans?: Plans | undefined
  /** Tells which of the plans a client has. Without it the page shows under which one it was charged last, if its counters tell. */
  readonly planOf?: PlanOf | undefined
  /** Whether the page shows keys in clear, or a function that says so for a name. Default false: it shows digests. */
  readonly reveal?: boolean | ((name: string) => boolean) | undefined
  /**
   * The names by which the page is opened: `['ops.internal', 'ops.example.com:8443']`. A request for another host is refused. Without them,
   * calls by plain HTTP need an address or `localhost`, because any other name may be another site's that leads here (DNS rebinding).
   */
  readonly hosts?: readonly string[] | undefined
  /** The load shedders of this process (`@halt/overload`), each under the name that the page shows: `{ shop: shedder }`. */
  readonly shedders?: Readonly<Record<string, WatchedShedder>> | undefined
  /** The store by which processes share their numbers. Default: the store of the first limiter. */
  readonly store?: Store | undefined
}

const OPTIONS = namesOf<OperatorOptions>({
  limiters: true,
  control: true,
  authorize: true,
  plans: true,
  planOf: true,
  reveal: true,
  hosts: true,
  shedders: true,
  store: true,
})

/** Options after their check. */
export interface CheckedOptions<C> {
  readonly limiters: readonly LimiterEntry[]
  readonly control: Control
  readonly authorize: Authorize<C>
  readonly planOf: PlanOf | undefined
  readonly reveals: (name: string) => boolean
  readonly hosts: readonly string[] | undefined
  readonly shedders: ReadShedders
  readonly store: Store & Pick<Required<Store>, 'document'>
}

/** A limiter, and the policies that a client may meet in it. */
export interface LimiterEntry {
  readonly limiter: AnyLimiter
  readonly policies: readonly GivenPolicy[]
  /** Whether a function chooses among the policies, so that each of them is explained alone. */
  readonly chooses: boolean
  /** The plans that the function chooses among, each with the policies for everybody; empty if they are not known. */
  readonly plans: readonly PlanEntry[]
}

/** A plan, and all policies of a client that has it. */
interface PlanEntry {
  readonly name: string
  readonly policies: readonly GivenPolicy[]
}

/** @throws HaltError `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD` */
export function checkOptions<C>(options: OperatorOptions<C>): CheckedOptions<C> {
  checkNames(options as unknown as Readonly<Record<string, unknown>>, OPTIONS, 'operator()')
  const { limiters, control, authorize, reveal = false, hosts, plans, planOf, shedders = {} } = options
  if (!Array.isArray(limiters) || limiters.length === 0)
    fail(
      `limiters is ${Array.isArray(limiters) ? 'an empty list' : describe(limiters)}.`,
      'Give a list of limiters: limiters: [limiter].',
    )
  if (typeof authorize !== 'function')
    fail(
      `authorize is ${describe(authorize)}, so anybody could act.`,
      'Give a function that returns the name of the operator: authorize: (request, req) => req.user?.email.',
    )
  if (typeof control?.entries !== 'function')
    fail(`control is ${describe(control)}.`, 'Give the Control of the limiters: new Control({ store }).')
  if (typeof reveal !== 'boolean' && typeof reveal !== 'function')
    fail(`reveal is ${describe(reveal)}.`, 'Give true, or (name) => boolean.')
  if (planOf !== undefined && typeof planOf !== 'function')
    fail(
      `planOf is ${describe(planOf)}.`,
      'Give a function that returns the name of a plan: planOf: ({ user }) => db.planOf(user).',
    )
  if (hosts !== undefined && !(Array.isArray(hosts) && hosts.length > 0 && hosts.every(isHost)))
    fail(`hosts is ${describe(hosts)}.`, 'Give names without a scheme and a path: hosts: ["ops.internal"].')
  checkShedders(shedders)
  const entries = (limiters as readonly Watched[]).map(each => entryOf(each, plans))
  const { limiter } = entries[0] as LimiterEntry
  const { store = limiter.store } = options
  const { warn } = limiter
  if (typeof store.document !== 'function')
    fail(
      'The store has no documents, so the processes cannot share their numbers.',
      'Give a store that has document(name), such as RedisStore or InMemoryStore.',
    )
  return {
    limiters: entries,
    control,
    authorize,
    planOf,
    hosts: hosts?.map(hostAsSent),
    reveals:
      typeof reveal === 'function'
        ? // Only `true` counts: any other value, such as a promise, would show every key.
          name => callAtOnce(warn, 'reveal', () => reveal(name)) === true
        : () => reveal,
    shedders: readerOf(shedders, warn),
    store: store as CheckedOptions<C>['store'],
  }
}

function entryOf(watched: Watched, ofAll: Plans | undefined): LimiterEntry {
  const given = (watched ?? {}) as AnyLimiter | Exclude<Watched, AnyLimiter>
  const {
    limiter,
    policies: named,
    plans: own,
  } = 'limiter' in given ? given : { limiter: given, policies: undefined, plans: undefined }
  if (typeof limiter?.explain !== 'function')
    fail(`limiters contains ${describe(watched)}.`, 'Give limiters, or { limiter, policies, plans }.')
  const fixed: unknown = limiter.options.policy
  const chooses = typeof fixed === 'function'
  const policies = named ?? (chooses ? [] : fixed)
  const common = (Array.isArray(policies) ? policies : [policies]) as GivenPolicy[]
  const plans = chooses ? plansOf(own ?? ofAll, common) : []
  // Plans may have policies in common.
  const all = new Set([...common, ...plans.flatMap(plan => plan.policies)])
  return { limiter, policies: [...all], chooses, plans }
}

function plansOf(plans: unknown, common: readonly GivenPolicy[]): readonly PlanEntry[] {
  if (plans === undefined) return []
  const fix = 'Give a list of policies for each plan: plans: { free: [FREE], pro: [PRO] }.'
  if (typeof plans !== 'object' || plans === null || Array.isArray(plans))
    fail(`plans is ${describe(plans)}.`, fix)
  return Object.entries(plans).map(([name, policies]: [string, unknown]) => {
    if (!Array.isArray(policies) || policies.length === 0 || !policies.every(isObject))
      fail(`The plan "${name}" is ${describe(policies)}.`, fix)
    const own = policies as readonly GivenPolicy[]
    return { name, policies: [...common.filter(policy => !own.includes(policy)), ...own] }
  })
}

function checkShedders(shedders: unknown): void {
  const fix = 'Give load shedders by their names: shedders: { shop: loadShedder() }.'
  if (!isObject(shedders) || Array.isArray(shedders)) fail(`shedders is ${describe(shedders)}.`, fix)
  for (const [name, shedder] of Object.entries(shedders as Readonly<Record<string, unknown>>))
    if (!isObject(shedder) || !isShedder(name, shedder as WatchedShedder))
      fail(`The load shedder "${name}" is ${describe(shedder)}, whose state the page cannot read.`, fix)
}

function isShedder(name: string, shedder: WatchedShedder): boolean {
  try {
    return numbersOf(name, shedder) !== undefined
  } catch {
    return false
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_OPTION', message, fix)
}
